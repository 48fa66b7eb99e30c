// Cutting a text into items: udf/templating/items.py, with its regular expressions written out.
#include <algorithm>

#include "templating.hpp"

namespace memtax::templating {
namespace {

constexpr std::int64_t kDecimalScale = 1000000;
constexpr std::size_t kFractionDigits = 6, kWholeDigits = 9, kNumberDigits = 15, kHexadecimalDigits = 12;

bool is_word(std::uint32_t c) {
    return is_small(c) || is_capital(c) || c >= 0x80;
}

// The last `digits` digits of [begin, end) as a number.
std::int64_t read(const std::uint32_t* begin, const std::uint32_t* end, std::size_t digits, int base) {
    if (static_cast<std::size_t>(end - begin) > digits) begin = end - digits;
    std::int64_t value = 0;
    for (; begin < end; ++begin) value = value * base + hexadecimal_digit(*begin);
    return value;
}

class Cursor {
  public:
    explicit Cursor(const CodePoints& text) : text_(text) {}
    std::uint32_t at(std::size_t i) const { return i < text_.size() ? text_[i] : 0xffffffff; }
    std::uint32_t before(std::size_t i) const { return i > 0 ? text_[i - 1] : 0xffffffff; }
    template <typename Test>
    std::size_t run(std::size_t i, Test test) const {
        while (i < text_.size() && test(text_[i])) ++i;
        return i;
    }

  private:
    const CodePoints& text_;
};

bool is_hexadecimal(std::uint32_t c) {
    return hexadecimal_digit(c) >= 0;
}

// The end of a hexadecimal number with a prefix at `i`, and where its digits begin; `i` itself if there is none.
std::size_t prefixed_hexadecimal(const Cursor& text, std::size_t i, std::size_t& digits) {
    const std::uint32_t first = text.at(i), second = text.at(i + 1);
    if ((first == '0' && (second == 'x' || second == 'X')) || (first == 'U' && second == '+'))
        digits = i + 2;
    else if (first == '&' && second == '#' && text.at(i + 2) == 'x')
        digits = i + 3;
    else if (first == '\\' && (second == 'x' || second == 'u')) {
        digits = i + 2;
        const std::size_t width = second == 'x' ? 2 : 4;
        for (std::size_t k = 0; k < width; ++k)
            if (!is_hexadecimal(text.at(digits + k))) return i;
        return digits + width;
    } else
        return i;
    const std::size_t end = text.run(digits, is_hexadecimal);
    return end > digits ? end : i;
}

// Whether the minus at `i` is a sign.
bool is_sign(const Cursor& text, std::size_t i) {
    if (text.at(i) != '-' || !is_digit(text.at(i + 1))) return false;
    if (text.at(i + 1) == '0' && (text.at(i + 2) == 'x' || text.at(i + 2) == 'X')) return false;
    if (i == 0) return true;
    const std::uint32_t c = text.before(i);
    return !(is_alphanumeric(c) || c == '_' || c == ')' || c == ']' || c == '-' || c >= 0x80);
}

int roman_digit(std::uint32_t c) {
    switch (c | 0x20) {
        case 'i':
            return 1;
        case 'v':
            return 5;
        case 'x':
            return 10;
        case 'l':
            return 50;
        case 'c':
            return 100;
        default:
            return 0;
    }
}

// The value of a Roman numeral below 400 in its regular form; 0 for anything else.
std::int64_t roman_value(const std::uint32_t* begin, std::size_t length) {
    if (length > 15) return 0;
    std::int64_t value = 0;
    for (std::size_t k = 0; k < length; ++k) {
        const int digit = roman_digit(begin[k]), after = k + 1 < length ? roman_digit(begin[k + 1]) : 0;
        if (digit == 0) return 0;
        value += digit < after ? -digit : digit;
    }
    if (value <= 0 || value >= 400) return 0;
    // Only the regular form writes back to itself.
    static const char* const kTens[] = {"", "x", "xx", "xxx", "xl", "l", "lx", "lxx", "lxxx", "xc"};
    static const char* const kOnes[] = {"", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"};
    const std::string regular =
        std::string(static_cast<std::size_t>(value / 100), 'c') + kTens[value / 10 % 10] + kOnes[value % 10];
    if (regular.size() != length) return 0;
    for (std::size_t k = 0; k < length; ++k)
        if ((begin[k] | 0x20) != static_cast<std::uint32_t>(regular[k])) return 0;
    return value;
}

void add_reading(Items& items, Kind kind, std::int64_t value) {
    const std::size_t i = items.count() - 1;
    items.kinds[i] = static_cast<std::uint8_t>(items.kinds[i] | (1U << kind));
    items.value[kind].resize(items.count());
    items.value[kind][i] = value;
    items.of_kind[kind].push_back(static_cast<std::int32_t>(i));
}

void add_word_readings(const std::uint32_t* begin, std::size_t length, const Rules& rules, Items& items) {
    constexpr std::size_t kLongestName = 16;
    if (length > kLongestName) return;
    char lower[kLongestName];
    for (std::size_t k = 0; k < length; ++k) {
        if (begin[k] >= 0x80) return;
        lower[k] = static_cast<char>(begin[k] | 0x20);
    }
    if (length == 1) add_reading(items, is_small(*begin) ? kSmall : kCapital, lower[0]);
    if (length > 2) {
        const auto name = rules.names.find(std::string(lower, length));
        if (name != rules.names.end()) add_reading(items, kName, name->second);
    }
    const std::int64_t roman = roman_value(begin, length);
    if (roman != 0) add_reading(items, kRoman, roman);
}

}  // namespace

void Interner::clear(std::size_t expected) {
    std::size_t capacity = 64;
    while (capacity < 2 * expected) capacity *= 2;
    if (slots_.size() < capacity || ++generation_ == 0) {
        slots_.assign(std::max(capacity, slots_.size()), Slot{});
        generation_ = 1;
    }
    next_ = 0;
}

std::int32_t Interner::number(const std::uint32_t* begin, std::size_t length) {
    std::uint64_t hash = 1469598103934665603ULL;  // FNV-1a
    for (std::size_t k = 0; k < length; ++k) hash = (hash ^ begin[k]) * 1099511628211ULL;
    hash ^= hash >> 32;
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t place = hash & mask;; place = (place + 1) & mask) {
        Slot& slot = slots_[place];
        if (slot.generation != generation_) {
            slot = Slot{begin, length, next_++, generation_};
            return slot.number;
        }
        if (slot.length == length && std::equal(begin, begin + length, slot.begin)) return slot.number;
    }
}

void decode_utf8(std::string_view text, CodePoints& out) {
    out.clear();
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = [&](std::size_t k) {
            return i + k < text.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(text[i + k])) : 0x80U;
        };
        const std::uint32_t first = byte(0);
        if (first < 0x80) {
            out.push_back(first);
            i += 1;
        } else if (first < 0xe0) {
            out.push_back((first & 0x1f) << 6 | (byte(1) & 0x3f));
            i += 2;
        } else if (first < 0xf0) {
            out.push_back((first & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f));
            i += 3;
        } else {
            out.push_back((first & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f));
            i += 4;
        }
    }
}

void split(const CodePoints& points, const Rules& rules, bool bare_hexadecimal, Interner& interner, Items& out) {
    out.id.clear();
    out.size.clear();
    out.length.clear();
    out.kinds.clear();
    for (int kind = 0; kind < kKinds; ++kind) {
        out.value[kind].clear();
        out.of_kind[kind].clear();
    }
    interner.clear(points.size());
    static const std::uint32_t kSpace = ' ';
    const Cursor text(points);
    const std::uint32_t* const data = points.data();
    const auto add = [&](std::size_t from, std::size_t to) {
        const auto length = static_cast<std::int32_t>(to - from);
        out.id.push_back(interner.number(data + from, to - from));
        out.size.push_back(length);
        out.length.push_back(length);
        out.kinds.push_back(0);
    };
    for (std::size_t i = 0; i < points.size();) {
        const std::uint32_t c = points[i];
        std::size_t digits = i;
        std::size_t end = prefixed_hexadecimal(text, i, digits);
        if (end == i && bare_hexadecimal && is_hexadecimal(c) && !is_alphanumeric(text.before(i))) {
            const std::size_t hexadecimal_end = text.run(i, is_hexadecimal);
            if (hexadecimal_end - i >= 2 && !is_alphanumeric(text.at(hexadecimal_end))) end = hexadecimal_end;
        }
        if (end > i) {
            add(i, end);
            add_reading(out, kHexadecimal, read(data + digits, data + end, kHexadecimalDigits, 16));
        } else if (is_digit(c) || is_sign(text, i)) {
            const std::size_t start = is_digit(c) ? i : i + 1;
            const std::int64_t sign = is_digit(c) ? 1 : -1;
            end = text.run(start, is_digit);
            const std::size_t fraction = end + 1, fraction_end = text.run(fraction, is_digit);
            const bool decimal = !bare_hexadecimal && text.at(end) == '.' && end - start <= kWholeDigits &&
                                 fraction_end > fraction && fraction_end - fraction <= kFractionDigits &&
                                 !(text.at(fraction_end) == '.' && is_digit(text.at(fraction_end + 1))) &&
                                 !is_digit(text.before(i)) && text.before(i) != '.';
            if (decimal) {
                std::int64_t value = read(data + start, data + end, kWholeDigits, 10) * kDecimalScale;
                std::int64_t part = read(data + fraction, data + fraction_end, kFractionDigits, 10);
                for (std::size_t k = fraction_end - fraction; k < kFractionDigits; ++k) part *= 10;
                end = fraction_end;
                add(i, end);
                add_reading(out, kDecimal, sign * (value + part));
            } else {
                add(i, end);
                add_reading(out, kNumber, sign * read(data + start, data + end, kNumberDigits, 10));
            }
        } else if (is_word(c)) {
            end = text.run(i, is_word);
            add(i, end);
            add_word_readings(data + i, end - i, rules, out);
        } else if (is_white_space(c)) {
            end = text.run(i, is_white_space);
            out.id.push_back(interner.number(&kSpace, 1));
            out.size.push_back(1);
            out.length.push_back(static_cast<std::int32_t>(end - i));
            out.kinds.push_back(0);
        } else {
            end = i + 1;
            add(i, end);
        }
        i = end;
    }
    for (int kind = 0; kind < kKinds; ++kind)
        if (!out.of_kind[kind].empty()) out.value[kind].resize(out.count());
}

bool has_mixed_hexadecimal(const CodePoints& points) {
    for (std::size_t i = 0; i < points.size();) {
        if (!is_alphanumeric(points[i])) {
            ++i;
            continue;
        }
        bool digit = false, letter = false, hexadecimal = true;
        for (; i < points.size() && is_alphanumeric(points[i]); ++i) {
            (is_digit(points[i]) ? digit : letter) = true;
            hexadecimal = hexadecimal && is_hexadecimal(points[i]);
        }
        if (digit && letter && hexadecimal) return true;
    }
    return false;
}

}  // namespace memtax::templating
