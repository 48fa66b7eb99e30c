#include "memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

namespace memtax {

Memory::Memory(Memory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Memory& Memory::operator=(Memory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

Memory::~Memory() {
    if (data_ != nullptr) munmap(data_, size_);
}

Memory Memory::zeroed(size_t bytes) {
    if (bytes == 0) return {};
    void* const data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    constexpr size_t huge_page = size_t{2} << 20;
    if (bytes >= huge_page) madvise(data, bytes, MADV_HUGEPAGE);  // a wish: refused, all still works
#endif
    return {data, bytes};
}

Memory Memory::mapped_file(const std::string& path) {
    const auto fail = [&path](int error) -> std::runtime_error {
        return std::runtime_error("cannot open query table " + path + ": " + std::strerror(error));
    };
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) throw fail(errno);
    struct stat status{};
    if (fstat(file, &status) != 0 || status.st_size == 0) {
        const int error = status.st_size == 0 ? EINVAL : errno;
        close(file);
        if (error == EINVAL) throw std::runtime_error("query table " + path + " is an empty file; build it again");
        throw fail(error);
    }
    const size_t bytes = static_cast<size_t>(status.st_size);
    void* const data = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, 0);
    const int error = errno;
    close(file);
    if (data == MAP_FAILED) throw fail(error);
    return {data, bytes};
}

}  // namespace memtax
