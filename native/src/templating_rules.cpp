// The plain flags: udf/templating/rules.py. What is added here is only a way to skip lags that cannot hold a stretch.
#include <algorithm>

#include "templating.hpp"

namespace memtax::templating {
namespace {

constexpr double kDecimalScale = 1000000;

const Pattern& better(const Pattern& first, const Pattern& second) {
    if (second.kind == PatternKind::kNone) return first;
    if (first.kind == PatternKind::kNone) return second;
    return second.coverage > first.coverage ? second : first;
}

std::size_t last_lag(std::size_t count, const Rules& rules) {
    return std::min(count / 2, static_cast<std::size_t>(rules.longest_period));
}

// Whether `holds` is true for `length` consecutive places of [from, to). A run that long covers one of every `length`
// places, so only those are looked at first: a lag costs about count / lag looks.
template <typename Test>
bool has_run(std::size_t from, std::size_t to, std::size_t length, Test holds) {
    for (std::size_t probe = from + length - 1; probe < to;) {
        if (!holds(probe)) {
            probe += length;
            continue;
        }
        std::size_t start = probe;
        while (start > from && probe - start + 1 < length && holds(start - 1)) --start;
        std::size_t end = probe + 1;
        while (end < to && end - start < length && holds(end)) ++end;
        if (end - start >= length) return true;
        probe = end + length;  // `end` does not hold
    }
    return false;
}

}  // namespace

Pattern Finder::find_pattern(const CodePoints& text) {
    if (std::all_of(text.begin(), text.end(), is_white_space)) return {};
    split(text, rules_, false, interner_, items_);
    Pattern best = best_of_items(items_);
    if (best.kind == PatternKind::kNone || best.coverage < rules_.templating_share) {
        best = better(best, best_of_characters(text));
        if (has_mixed_hexadecimal(text)) {
            split(text, rules_, true, interner_, items_);
            best = better(best, best_of_items(items_));
        }
    }
    return best;
}

Pattern Finder::best_of_items(const Items& items) {
    const std::size_t count = items.count();
    sums_.assign(1, 0);
    for (const std::int32_t size : items.size) sums_.push_back(sums_.back() + size);
    const auto total = static_cast<double>(sums_.back());
    const auto period = [&](std::size_t start, std::size_t lag) {
        std::int32_t characters = 0;
        for (std::size_t i = start; i < start + lag; ++i) characters += items.length[i];
        return characters;
    };
    Pattern repeat, counter;
    for (std::size_t lag = 1; lag <= last_lag(count, rules_); ++lag) {
        const auto plausible = [&](std::size_t i) {
            return items.id[i] == items.id[i - lag] || (items.kinds[i] & items.kinds[i - lag]) != 0;
        };
        const std::size_t repeat_shortest = static_cast<std::size_t>(rules_.repeats) * lag;
        const std::size_t counter_shortest = static_cast<std::size_t>(rules_.counter_repeats_more_than) * lag + 1;
        if (!has_run(lag, count, std::min(repeat_shortest, counter_shortest) - lag, plausible)) continue;
        equal_.assign(count, 0);
        for (std::size_t i = lag; i < count; ++i) equal_[i] = items.id[i] == items.id[i - lag];
        follows_ = equal_;
        find_stretches(lag, repeat_shortest);
        if (!stretches_.empty())
            repeat = better(repeat, Pattern{PatternKind::kRepeat, period(stretches_[0].start, lag), 0,
                                            static_cast<double>(covered()) / total});
        confirm_steps(items, lag);
        if (confirmed_.empty()) continue;
        for (std::size_t i = lag; i < count; ++i) follows_[i] = equal_[i] || steps_[i] != 0;
        find_stretches(lag, counter_shortest);
        double step = 0;  // the first that the first stretch takes
        const auto moves_too_little = [&](const Stretch& stretch) {
            int moves = 0;
            double first = 0;
            for (std::size_t i = stretch.start + lag; i < stretch.end; ++i)
                if (steps_[i] != 0 && moves++ == 0) first = steps_[i];
            if (moves < rules_.counter_moves) return true;
            if (step == 0) step = first;
            return false;
        };
        // A plain loop: algorithms promise no order in which they ask.
        std::size_t kept = 0;
        for (const Stretch& stretch : stretches_)
            if (!moves_too_little(stretch)) stretches_[kept++] = stretch;
        stretches_.resize(kept);
        if (!stretches_.empty())
            counter = better(counter, Pattern{PatternKind::kCounter, period(stretches_[0].start, lag), step,
                                              static_cast<double>(covered()) / total});
    }
    return better(repeat, counter);
}

void Finder::confirm_steps(const Items& items, std::size_t lag) {
    const std::size_t count = items.count();
    steps_.assign(count, 0);
    confirmed_.clear();
    // 0 stands for no difference as well as for none known: neither is a step.
    const auto difference = [&](int kind, std::size_t i) -> std::int64_t {
        if (i < lag || i >= count || ((items.kinds[i] & items.kinds[i - lag]) >> kind & 1) == 0) return 0;
        return items.value[kind][i] - items.value[kind][i - lag];
    };
    const auto as_step = [](int kind, std::int64_t moved) {
        return kind == kDecimal ? static_cast<double>(moved) / kDecimalScale : static_cast<double>(moved);
    };
    for (int kind = 0; kind < kKinds; ++kind)
        for (const std::int32_t index : items.of_kind[kind]) {
            const auto i = static_cast<std::size_t>(index);
            const std::int64_t here = difference(kind, i);
            if (here == 0 || steps_[i] != 0) continue;
            if (here != difference(kind, i - lag) && here != difference(kind, i + lag)) continue;
            steps_[i] = as_step(kind, here);
            if (std::find(confirmed_.begin(), confirmed_.end(), steps_[i]) == confirmed_.end())
                confirmed_.push_back(steps_[i]);
        }
    if (confirmed_.empty()) return;
    const std::size_t from = std::max(lag, count - lag), to = std::min(2 * lag, count);
    for (int kind = 0; kind < kKinds; ++kind)
        for (const std::int32_t index : items.of_kind[kind]) {
            const auto i = static_cast<std::size_t>(index);
            if (i < from || i >= to || steps_[i] != 0) continue;
            const double step = as_step(kind, difference(kind, i));
            if (step != 0 && std::find(confirmed_.begin(), confirmed_.end(), step) != confirmed_.end())
                steps_[i] = step;
        }
}

void Finder::find_stretches(std::size_t lag, std::size_t shortest) {
    stretches_.clear();
    const std::size_t count = follows_.size();
    const std::int64_t total = sums_.back();
    for (std::size_t i = lag; i < count;) {
        if (!follows_[i]) {
            ++i;
            continue;
        }
        const std::size_t start = i - lag;
        while (i < count && follows_[i]) ++i;
        if (i - start < shortest) continue;
        const std::int64_t size = sum(start, i);
        if (size >= rules_.stretch_characters || 2 * size >= total) stretches_.push_back({start, i});
    }
}

std::int64_t Finder::covered() const {
    std::int64_t size = 0;
    std::size_t done = 0;
    for (const Stretch& stretch : stretches_) {
        size += sum(std::max(stretch.start, done), stretch.end);
        done = stretch.end;
    }
    return size;
}

Pattern Finder::best_of_characters(const CodePoints& text) {
    collapsed_.clear();
    lengths_.clear();
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool space = is_white_space(text[i]);
        if (space && i > 0 && is_white_space(text[i - 1])) {
            ++lengths_.back();
        } else {
            collapsed_.push_back(space ? ' ' : text[i]);
            lengths_.push_back(1);
        }
    }
    const std::size_t count = collapsed_.size();
    sums_.resize(count + 1);
    for (std::size_t i = 0; i <= count; ++i) sums_[i] = static_cast<std::int64_t>(i);
    Pattern best;
    for (std::size_t lag = 1; lag <= last_lag(count, rules_); ++lag) {
        const std::uint32_t *before = collapsed_.data(), *after = before + lag;
        const bool whole = std::equal(after, before + count, before);
        const std::size_t shortest = static_cast<std::size_t>(whole ? 2 : rules_.repeats) * lag;
        if (!whole &&
            !has_run(lag, count, shortest - lag, [&](std::size_t i) { return collapsed_[i] == collapsed_[i - lag]; }))
            continue;
        follows_.assign(count, 0);
        for (std::size_t i = lag; i < count; ++i) follows_[i] = collapsed_[i] == collapsed_[i - lag];
        find_stretches(lag, shortest);
        if (stretches_.empty()) continue;
        std::int32_t period = 0;
        for (std::size_t i = stretches_[0].start; i < stretches_[0].start + lag; ++i) period += lengths_[i];
        best = better(best, Pattern{PatternKind::kRepeat, period, 0,
                                    static_cast<double>(covered()) / static_cast<double>(count)});
    }
    return best;
}

}  // namespace memtax::templating
