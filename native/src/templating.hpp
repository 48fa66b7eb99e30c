// Templating of one text: the fast twin of udf/templating (items.py, rules.py, paper.py), which says why each rule is
// as it is. Every result must equal that reference; tests/udf/test_templating_kernel.py holds it to that.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace memtax::templating {

constexpr int kKinds = 7;  // udf/templating/items.py: KINDS
enum Kind { kNumber, kDecimal, kHexadecimal, kSmall, kCapital, kName, kRoman };

// The constants of the reference, handed over by it so that there is one place to change them.
struct Rules {
    double templating_share;
    int repeats;
    int counter_repeats_more_than;
    int counter_moves;
    int stretch_characters;
    int longest_period;
    std::unordered_map<std::string, std::int64_t> names;  // lower case
    // Code points beyond ASCII that Python takes for white space, a digit or unprintable: [first, last], ascending.
    std::vector<std::pair<std::uint32_t, std::uint32_t>> special;
};

enum class PatternKind : std::uint8_t { kNone, kCounter, kRepeat };

struct Pattern {
    PatternKind kind = PatternKind::kNone;
    std::int32_t period = 0;
    double step = 0;
    double coverage = 0;
};

struct PaperFlags {
    bool incrementing = false;
    bool repeating = false;
    bool unknown = false;  // something rare (a huge number, a special code point): ask the reference
};

// The items of a text, as columns; reused from text to text.
struct Items {
    std::vector<std::int32_t> id;  // equal if and only if the items' texts are
    std::vector<std::int32_t> size, length;
    std::vector<std::uint8_t> kinds;            // one bit per kind that the item can be read as
    std::vector<std::int64_t> value[kKinds];    // valid where the bit is set
    std::vector<std::int32_t> of_kind[kKinds];  // the items that have the bit
    std::size_t count() const { return id.size(); }
};

using CodePoints = std::vector<std::uint32_t>;

// Gives each distinct run of code points a number; open addressing, emptied for each text.
class Interner {
  public:
    void clear(std::size_t expected);
    std::int32_t number(const std::uint32_t* begin, std::size_t length);

  private:
    struct Slot {
        const std::uint32_t* begin = nullptr;
        std::size_t length = 0;
        std::int32_t number = 0;
        std::uint32_t generation = 0;
    };
    std::vector<Slot> slots_;
    std::uint32_t generation_ = 0;
    std::int32_t next_ = 0;
};

void decode_utf8(std::string_view text, CodePoints& out);
void split(const CodePoints& text, const Rules& rules, bool bare_hexadecimal, Interner& interner, Items& out);
bool has_mixed_hexadecimal(const CodePoints& text);

inline bool is_white_space(std::uint32_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}
inline bool is_digit(std::uint32_t c) {
    return c >= '0' && c <= '9';
}
inline bool is_small(std::uint32_t c) {
    return c >= 'a' && c <= 'z';
}
inline bool is_capital(std::uint32_t c) {
    return c >= 'A' && c <= 'Z';
}
inline bool is_alphanumeric(std::uint32_t c) {
    return is_digit(c) || is_small(c) || is_capital(c);
}
inline int hexadecimal_digit(std::uint32_t c) {
    if (is_digit(c)) return static_cast<int>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<int>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<int>(c - 'A' + 10);
    return -1;
}

// Everything for one thread: buffers are kept between texts. `rules` must outlive it.
class Finder {
  public:
    explicit Finder(const Rules& rules) : rules_(rules) {}
    Pattern find_pattern(const CodePoints& text);
    PaperFlags paper_flags(const CodePoints& text);

  private:
    struct Stretch {
        std::size_t start, end;
    };
    struct PaperItem {
        bool number;
        std::int64_t value;  // the number, or which string
    };

    Pattern best_of_items(const Items& items);
    Pattern best_of_characters(const CodePoints& text);
    void confirm_steps(const Items& items, std::size_t lag);
    // Fills stretches_ from follows_.
    void find_stretches(std::size_t lag, std::size_t shortest);
    std::int64_t covered() const;
    std::int64_t sum(std::size_t from, std::size_t to) const { return sums_[to] - sums_[from]; }

    bool paper_items(const CodePoints& text);
    bool paper_word(const std::uint32_t* begin, const std::uint32_t* end);
    bool paper_pieces(const std::uint32_t* begin, const std::uint32_t* end);
    bool follow_items() const;
    std::size_t smallest_period(const std::uint32_t* text, std::size_t count);

    const Rules& rules_;
    Interner interner_;
    Items items_;
    std::vector<std::uint8_t> equal_, follows_;
    std::vector<double> steps_;  // 0 where there is none
    std::vector<double> confirmed_;
    std::vector<Stretch> stretches_;
    std::vector<std::int64_t> sums_;  // of the sizes before each item
    std::vector<std::size_t> borders_;
    CodePoints collapsed_;
    std::vector<std::int32_t> lengths_;
    std::vector<PaperItem> paper_items_;
    std::vector<CodePoints> words_;  // the words that had to be rewritten
    std::size_t words_used_ = 0;
};

}  // namespace memtax::templating
