// The file of a query table: a header of one page, then the image that layout_of() describes.
//
// The header names everything needed to map the file without trusting it: magic, version, sizes, the exact length of
// the file, a checksum of the header itself and one of the image. Little-endian, as every supported processor is.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "parallel.hpp"
#include "query_table.hpp"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "query tables and their hashes are little-endian");

namespace memtax {
namespace {

constexpr char kMagic[8] = {'M', 'E', 'M', 'T', 'A', 'X', 'Q', 'T'};
constexpr size_t kHeaderBytes = 4096;  // the image begins on a page of its own

struct Header {
    char magic[8];
    uint32_t version;
    uint32_t header_bytes;
    uint32_t length;
    uint32_t gram;
    uint32_t token_bytes;
    uint32_t directory_bits;
    uint64_t n_queries;
    uint64_t filter_words;
    uint64_t gram_mask;
    uint64_t window_mask;
    uint64_t file_bytes;
    char digest[32];
    uint64_t image_checksum[2];
    uint64_t header_checksum;  // of all the fields before it
};

uint64_t checksum(const Header& header) {
    return content_hash(&header, offsetof(Header, header_checksum), 1).low;
}

std::runtime_error system_error(const std::string& path) {
    return std::runtime_error("cannot write query table " + path + ": " + std::strerror(errno));
}

void write_all(int file, const unsigned char* from, size_t bytes, const std::string& path) {
    while (bytes > 0) {
        const ssize_t written = write(file, from, std::min(bytes, size_t{1} << 30));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throw system_error(path);
        from += written;
        bytes -= static_cast<size_t>(written);
    }
}

void check_header(const Header& header, size_t file_bytes, const std::string& path) {
    const auto refuse = [&path](const std::string& why) {
        return std::runtime_error("cannot open query table " + path + ": " + why);
    };
    if (file_bytes < kHeaderBytes || std::memcmp(header.magic, kMagic, sizeof kMagic) != 0)
        throw refuse("it is not a query table, or cut off within its header");
    if (header.version != kFormatVersion)
        throw refuse("it has format version " + std::to_string(header.version) + ", this build reads version " +
                     std::to_string(kFormatVersion) + "; build it again");
    if (header.header_checksum != checksum(header)) throw refuse("its header is damaged; build it again");
    if (header.file_bytes != file_bytes)
        throw refuse("it is " + std::to_string(file_bytes) + " bytes long and should be " +
                     std::to_string(header.file_bytes) + ": truncated or damaged; build it again");
}

}  // namespace

void QueryTable::save(const std::string& path, unsigned threads) const {
    const TableLayout layout = layout_of(view_);
    Header header{};
    std::memcpy(header.magic, kMagic, sizeof kMagic);
    header.version = kFormatVersion;
    header.header_bytes = kHeaderBytes;
    header.length = view_.length;
    header.gram = view_.gram;
    header.token_bytes = view_.token_bytes;
    header.directory_bits = view_.directory_bits;
    header.n_queries = view_.n_queries;
    header.filter_words = view_.filter_words;
    header.gram_mask = view_.gram_mask;
    header.window_mask = view_.window_mask;
    header.file_bytes = kHeaderBytes + layout.end;
    std::memcpy(header.digest, digest().data(), sizeof header.digest);
    // The image lies in one piece before the tokens, also where the view's filter is a copy.
    const unsigned char* const image = view_.tokens - layout.tokens;
    const Hash128 sum = content_hash(image, layout.end, threads);
    header.image_checksum[0] = sum.low;
    header.image_checksum[1] = sum.high;
    header.header_checksum = checksum(header);
    unsigned char page[kHeaderBytes] = {};
    std::memcpy(page, &header, sizeof header);

    std::string temporary = path + ".XXXXXX";
    const int file = mkstemp(temporary.data());
    if (file < 0) throw system_error(path);
    try {
        write_all(file, page, sizeof page, path);
        write_all(file, image, layout.end, path);
        // mkstemp makes files private; a table may be read by whoever may read the folder.
        if (fchmod(file, 0644) != 0 || fsync(file) != 0) throw system_error(path);
    } catch (...) {
        close(file);
        unlink(temporary.c_str());
        throw;
    }
    if (close(file) != 0 || std::rename(temporary.c_str(), path.c_str()) != 0) {
        const std::runtime_error error = system_error(path);
        unlink(temporary.c_str());
        throw error;
    }
}

QueryTable QueryTable::open(const std::string& path, bool check_content, unsigned threads) {
    Memory file = Memory::mapped_file(path);
    Header header{};
    std::memcpy(&header, file.data(), std::min(sizeof header, file.size()));
    check_header(header, file.size(), path);
    TableView view;
    view.length = header.length;
    view.gram = header.gram;
    view.token_bytes = header.token_bytes;
    view.directory_bits = header.directory_bits;
    view.n_queries = header.n_queries;
    view.filter_words = header.filter_words;
    view.gram_mask = header.gram_mask;
    view.window_mask = static_cast<uint32_t>(header.window_mask);
    const TableLayout layout = layout_of(view);
    if (layout.end + kHeaderBytes != file.size())
        throw std::runtime_error("cannot open query table " + path +
                                 ": its sizes contradict each other; build it again");
    const unsigned char* const image = file.data() + kHeaderBytes;
    if (check_content) {
        const Hash128 sum = content_hash(image, layout.end, threads);
        if (sum.low != header.image_checksum[0] || sum.high != header.image_checksum[1])
            throw std::runtime_error("cannot open query table " + path + ": its content is damaged; build it again");
    }
    point_into(view, image);
    // The filter is what a scan hits most, and a mapped file has small pages only.
    Memory filter = Memory::zeroed(view.filter_words * sizeof(uint64_t));
    std::memcpy(filter.data(), view.filter, filter.size());
    view.filter = reinterpret_cast<const uint64_t*>(filter.data());
    QueryTable table(view, std::move(file), std::move(filter));
    table.digest_ = std::string(header.digest, sizeof header.digest);
    return table;
}

}  // namespace memtax
