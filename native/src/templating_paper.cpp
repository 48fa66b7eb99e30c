// The paper's flags: udf/templating/paper.py. What is rare (special code points, numbers beyond 18 digits) is left to
// that reference.
#include <algorithm>

#include "templating.hpp"

namespace memtax::templating {
namespace {

constexpr std::size_t kSafeDigits = 18;  // differences of such numbers fit into 64 bits
constexpr std::int64_t kSafeValue = 999999999999999999;

// White space of Python's str below 0x80: beyond C's, the four separators.
bool is_space(std::uint32_t c) {
    return is_white_space(c) || (c >= 0x1c && c <= 0x1f);
}
bool is_quote(std::uint32_t c) {
    return c == '"' || c == '\'';
}

bool is_special(std::uint32_t c, const Rules& rules) {
    if (c < 0x80) return false;
    const auto after = std::upper_bound(rules.special.begin(), rules.special.end(), c,
                                        [](std::uint32_t point, const auto& range) { return point < range.first; });
    return after != rules.special.begin() && c <= std::prev(after)->second;
}

enum class Parsed { kNo, kYes, kTooLarge };

// Python's int(word, 0) for ASCII.
Parsed parse_integer(const std::uint32_t* begin, const std::uint32_t* end, bool& negative, std::int64_t& value) {
    negative = begin < end && *begin == '-';
    if (begin < end && (*begin == '-' || *begin == '+')) ++begin;
    if (begin == end || !is_digit(*begin)) return Parsed::kNo;
    int base = 10;
    bool prefixed = false;
    if (*begin == '0' && end - begin > 1) {
        const std::uint32_t letter = begin[1] | 0x20;
        base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
        prefixed = base != 10;
        if (prefixed) begin += 2;
    }
    const bool zeros_only = !prefixed && *begin == '0';  // 00 is a number, 01 is not
    bool after_digit = prefixed;                         // one underscore may follow a digit or the prefix
    bool too_large = false, any = false;
    value = 0;
    for (; begin < end; ++begin) {
        if (*begin == '_') {
            if (!after_digit) return Parsed::kNo;
            after_digit = false;
            continue;
        }
        const int digit = hexadecimal_digit(*begin);
        if (digit < 0 || digit >= base || (zeros_only && digit != 0)) return Parsed::kNo;
        after_digit = any = true;
        if (value > (kSafeValue - digit) / base)
            too_large = true;
        else
            value = value * base + digit;
    }
    if (!any || !after_digit) return Parsed::kNo;
    return too_large ? Parsed::kTooLarge : Parsed::kYes;
}

void remove_pair(CodePoints& word, std::uint32_t second) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < word.size();) {
        if (word[i] == '\\' && i + 1 < word.size() && word[i + 1] == second)
            i += 2;
        else
            word[kept++] = word[i++];
    }
    word.resize(kept);
}

}  // namespace

PaperFlags Finder::paper_flags(const CodePoints& text) {
    PaperFlags flags;
    if (!paper_items(text)) {
        flags.unknown = true;
        return flags;
    }
    flags.incrementing = follow_items();
    if (flags.incrementing) return flags;
    // The same test over single characters: strings alone, so it is whether the text has a period of at most its half.
    if (text.size() < 4) return flags;
    const std::size_t drop = text.size() > 4 ? 1 : 0, count = text.size() - 2 * drop;
    flags.repeating = smallest_period(text.data() + drop, count) <= count / 2;
    return flags;
}

// The smallest lag at which the characters equal themselves, by the longest border of every prefix (Knuth, Morris and
// Pratt 1977): in linear time, which trying every lag is not.
std::size_t Finder::smallest_period(const std::uint32_t* text, std::size_t count) {
    borders_.assign(count, 0);
    for (std::size_t i = 1, border = 0; i < count; ++i) {
        while (border > 0 && text[i] != text[border]) border = borders_[border - 1];
        if (text[i] == text[border]) ++border;
        borders_[i] = border;
    }
    return count - borders_[count - 1];
}

bool Finder::paper_items(const CodePoints& text) {
    paper_items_.clear();
    words_used_ = 0;
    words_.resize(std::max<std::size_t>(words_.size(), text.size() / 2 + 1));
    interner_.clear(text.size() + 1);
    for (const std::uint32_t c : text)
        if (is_special(c, rules_)) return false;
    const std::uint32_t* const end = text.data() + text.size();
    for (const std::uint32_t* word = text.data(); word < end;) {
        if (is_space(*word)) {
            ++word;
            continue;
        }
        const std::uint32_t* const word_end = std::find_if(word, end, is_space);
        if (!paper_word(word, word_end)) return false;
        word = word_end;
    }
    return true;
}

bool Finder::paper_word(const std::uint32_t* begin, const std::uint32_t* end) {
    bool negative = false;
    std::int64_t value = 0;
    switch (parse_integer(begin, end, negative, value)) {
        case Parsed::kTooLarge:
            return false;
        case Parsed::kYes: {
            static const std::uint32_t kMinus = '-';
            if (negative && value != 0) paper_items_.push_back({false, interner_.number(&kMinus, 1)});
            paper_items_.push_back({true, value});
            return true;
        }
        case Parsed::kNo:
            break;
    }
    const auto plain = [](std::uint32_t c) { return c != '\\' && !is_quote(c) && c >= 0x20 && c != 0x7f; };
    if (std::all_of(begin, end, plain)) return paper_pieces(begin, end);
    // What repr() makes of the word, but for its quotes, which go in any case; then what the filter takes out of it.
    CodePoints& word = words_[words_used_++];
    word.clear();
    for (; begin < end; ++begin) {
        const std::uint32_t c = *begin;
        if (c == '\\') {
            word.insert(word.end(), {'\\', '\\'});
        } else if (c < 0x20 || c == 0x7f) {
            const char* const digits = "0123456789abcdef";
            word.insert(word.end(), {'\\', 'x', static_cast<std::uint32_t>(digits[c >> 4]),
                                     static_cast<std::uint32_t>(digits[c & 15])});
        } else {
            word.push_back(c);
        }
    }
    remove_pair(word, 'n');
    remove_pair(word, 'x');
    word.erase(std::remove_if(word.begin(), word.end(), [](std::uint32_t c) { return c == '\\' || is_quote(c); }),
               word.end());
    return paper_pieces(word.data(), word.data() + word.size());
}

bool Finder::paper_pieces(const std::uint32_t* begin, const std::uint32_t* end) {
    while (begin < end) {
        const bool digits = is_digit(*begin);
        const std::uint32_t* const piece = begin;
        while (begin < end && is_digit(*begin) == digits) ++begin;
        if (!digits) {
            paper_items_.push_back({false, interner_.number(piece, static_cast<std::size_t>(begin - piece))});
            continue;
        }
        const std::uint32_t* significant = std::find_if(piece, begin, [](std::uint32_t c) { return c != '0'; });
        if (static_cast<std::size_t>(begin - significant) > kSafeDigits) return false;
        std::int64_t value = 0;
        for (; significant < begin; ++significant) value = value * 10 + static_cast<std::int64_t>(*significant - '0');
        paper_items_.push_back({true, value});
    }
    return true;
}

bool Finder::follow_items() const {
    const PaperItem* items = paper_items_.data();
    std::size_t count = paper_items_.size();
    if (count < 3) return false;
    if (count == 3) {
        if (!(items[0].number && items[1].number && items[2].number)) return false;
        const std::int64_t a = items[0].value, b = items[1].value, c = items[2].value;
        return c - 2 * b + a <= 0 && c != b;  // whole numbers: below 1e-5 is at most 0
    }
    if (count > 4) {
        ++items;
        count -= 2;
    }
    bool stepped = false;
    for (std::size_t stride = 1; stride <= count / 2; ++stride) {
        bool holds = true, compared = false;
        for (std::size_t lane = 0; lane < stride && holds; ++lane) {
            const bool number = items[lane].number;
            const PaperItem& second = items[lane + stride];
            const std::int64_t difference = second.value - items[lane].value;
            holds = second.number == number && (number || difference == 0);
            for (std::size_t i = lane + 2 * stride; i < count && holds; i += stride)
                holds = items[i].number == number && items[i].value - items[i - stride].value == difference;
            if (!holds) break;
            compared = compared || (number && lane + 2 * stride < count);
            stepped = stepped || (number && difference != 0);
        }
        if (holds) return stepped && compared;
    }
    return false;
}

}  // namespace memtax::templating
