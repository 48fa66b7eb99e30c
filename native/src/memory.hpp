// Large blocks of memory: zeroed anonymous ones in huge pages where the system has them, and read-only file mappings.
#pragma once

#include <cstddef>
#include <string>

namespace memtax {

// Owns one block; moves, never copies. Throws std::bad_alloc or std::runtime_error (with the system's reason).
class Memory {
  public:
    Memory() = default;
    Memory(Memory&& other) noexcept;
    Memory& operator=(Memory&& other) noexcept;
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    ~Memory();

    // Zeroed, aligned to a page. Huge pages: tables are hit at random, and small pages would miss the TLB each time.
    static Memory zeroed(size_t bytes);
    // The whole file, shared and read-only.
    static Memory mapped_file(const std::string& path);

    unsigned char* data() { return data_; }
    const unsigned char* data() const { return data_; }
    size_t size() const { return size_; }

  private:
    Memory(void* data, size_t size) : data_(static_cast<unsigned char*>(data)), size_(size) {}
    unsigned char* data_ = nullptr;
    size_t size_ = 0;
};

}  // namespace memtax
