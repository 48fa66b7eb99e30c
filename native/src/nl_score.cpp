#include "nl_score.hpp"

#include <limits>

namespace memtax::nl_score {
namespace {

constexpr std::uint8_t kDropped = 0, kSpace = ' ', kDigit = '0';

struct Range {
    std::uint32_t last;
    std::uint8_t symbol;
};

// udf/nl_score/features.py: RANGES. The symbol of every code point beyond ASCII.
constexpr Range kRanges[] = {
    {0x84, 1},        {0x85, kSpace},     {0x9f, 1},        {0xa0, kSpace},   {0xaa, 7},        {0xab, 2},
    {0xba, 7},        {0xbb, 2},          {0xbf, 7},        {0xd6, 5},        {0xd7, 7},        {0xf6, 5},
    {0xf7, 7},        {0x24f, 5},         {0x167f, 6},      {0x1680, kSpace}, {0x1fff, 6},      {0x200a, kSpace},
    {0x200f, 1},      {0x2015, 4},        {0x2017, 7},      {0x201b, 3},      {0x201f, 2},      {0x2027, 7},
    {0x2029, kSpace}, {0x202e, 1},        {0x202f, kSpace}, {0x205e, 7},      {0x205f, kSpace}, {0x2bff, 7},
    {0x2e7f, 6},      {0x2fff, 8},        {0x3000, kSpace}, {0x3002, 7},      {0x3004, 8},      {0x3020, 7},
    {0x9fff, 8},      {0xabff, 6},        {0xd7ff, 8},      {0xf8ff, 1},      {0xfaff, 8},      {0xfeff, 6},
    {0xffef, 8},      {0xfffd, kDropped}, {0xffff, 1},      {0x1efff, 6},     {0x1ffff, 7},     {0x3ffff, 8},
    {0x10ffff, 1},
};

std::uint8_t symbol_of(std::uint32_t point) {
    if (point < 0x80) {
        if (point == ' ' || (point >= 9 && point <= 13) || (point >= 0x1c && point <= 0x1f)) return kSpace;
        if (point < 0x20 || point == 0x7f) return 1;
        return point >= '0' && point <= '9' ? kDigit : static_cast<std::uint8_t>(point);
    }
    const Range* range = kRanges;
    while (point > range->last) ++range;
    return range->symbol;
}

// One code point of UTF-8 that Arrow has checked; a truncated one cannot run over the end.
std::uint32_t next_point(std::string_view text, std::size_t& at) {
    const auto rest = [&](std::size_t k) {
        return at + k < text.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(text[at + k])) & 0x3fU : 0U;
    };
    const auto first = static_cast<std::uint32_t>(static_cast<unsigned char>(text[at]));
    std::uint32_t point = first;
    std::size_t size = 1;
    if (first >= 0xf0) {
        point = (first & 0x07) << 18 | rest(1) << 12 | rest(2) << 6 | rest(3);
        size = 4;
    } else if (first >= 0xe0) {
        point = (first & 0x0f) << 12 | rest(1) << 6 | rest(2);
        size = 3;
    } else if (first >= 0xc0) {
        point = (first & 0x1f) << 6 | rest(1);
        size = 2;
    }
    at += size;
    return point > 0x10ffff ? 0xfffd : point;
}

void read_symbols(std::string_view text, std::vector<std::uint8_t>& out) {
    out.clear();
    for (std::size_t at = 0; at < text.size();) {
        const std::uint8_t symbol = symbol_of(next_point(text, at));
        if (symbol == kDropped || (symbol == kSpace && !out.empty() && out.back() == kSpace)) continue;
        out.push_back(symbol);
    }
    // White space alone is no text.
    if (out.size() == 1 && out[0] == kSpace) out.clear();
}

std::uint8_t shape_of(std::uint8_t symbol) {
    if ((symbol >= 'a' && symbol <= 'z') || symbol == 5 || symbol == 6 || symbol == 8) return 'a';
    return symbol >= 'A' && symbol <= 'Z' ? 'A' : symbol;
}

void read_shape(const std::vector<std::uint8_t>& symbols, std::vector<std::uint8_t>& out) {
    out.clear();
    for (const std::uint8_t symbol : symbols) {
        const std::uint8_t shape = shape_of(symbol);
        const bool runs = shape == 'a' || shape == 'A' || shape == kDigit;
        if (!(runs && !out.empty() && out.back() == shape)) out.push_back(shape);
    }
}

void hash_orders(const std::vector<std::uint8_t>& symbols, int orders, std::uint64_t stream, int buckets_log2,
                 std::vector<std::uint32_t>& out) {
    out.clear();
    for (int order = 1; order <= orders; ++order) {
        const std::uint64_t mask = ~std::uint64_t{0} >> (64 - 8 * order);
        const std::uint64_t label = (stream << 3 | static_cast<std::uint64_t>(order)) << 56;
        std::uint64_t packed = 0;
        for (std::size_t i = 0; i < symbols.size(); ++i) {
            packed = (packed << 8 | symbols[i]) & mask;
            if (i + 1 < static_cast<std::size_t>(order)) continue;
            std::uint64_t key = packed | label;
            key = (key ^ key >> 32) * 0x9e3779b97f4a7c15ULL;
            out.push_back(static_cast<std::uint32_t>(key >> (64 - buckets_log2)));
        }
    }
}

// Four sums side by side, so that one addition need not wait for the one before; float32 weights are exact in double.
double mean(const std::vector<std::uint32_t>& buckets, const float* weights, double shrinkage) {
    double sums[4] = {0, 0, 0, 0};
    std::size_t i = 0;
    for (; i + 4 <= buckets.size(); i += 4)
        for (std::size_t k = 0; k < 4; ++k) sums[k] += static_cast<double>(weights[buckets[i + k]]);
    for (; i < buckets.size(); ++i) sums[0] += static_cast<double>(weights[buckets[i]]);
    return (sums[0] + sums[1] + sums[2] + sums[3]) / (static_cast<double>(buckets.size()) + shrinkage);
}

}  // namespace

void hash_ngrams(std::string_view utf8, const Settings& settings, Ngrams& out) {
    read_symbols(utf8, out.symbols);
    read_shape(out.symbols, out.shape);
    hash_orders(out.symbols, settings.character_orders, 0, settings.buckets_log2, out.of_characters);
    hash_orders(out.shape, settings.shape_orders, 1, settings.buckets_log2, out.of_shape);
}

double log_odds(const Ngrams& ngrams, const Settings& settings, const float* weights, double bias) {
    if (ngrams.symbols.empty()) return std::numeric_limits<double>::quiet_NaN();
    return bias + mean(ngrams.of_characters, weights, settings.shrinkage) +
           mean(ngrams.of_shape, weights, settings.shrinkage);
}

}  // namespace memtax::nl_score
