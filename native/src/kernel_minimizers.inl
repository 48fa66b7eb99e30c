// Order hashes, their sliding minimum, and the windows at which the anchor changes. Included by kernel_body.inl alone.
//
// The order hash of a gram is made by doubling (runs of 2, 4, then 8 tokens, each from two of half the length) and so
// is the minimum over the grams of a window: no step waits for the one at the position before. Signed 16-bit numbers
// throughout, since the plainest instruction sets have a minimum of those only.

#include "kernel_vectors.inl"

constexpr uint16_t kTokenFactor16 = 0x9e37;
constexpr uint32_t kTokenFactor32 = 0x9e3779b1;
constexpr uint16_t kPairFactor = 0xb4d5, kQuadFactor = 0xd6e9, kOctFactor = 0x93d5, kOrderFactor = 0x2c1b;

// The grams of a window are covered by two overlapping runs of this many.
constexpr uint32_t run_of(uint32_t span) {
    return span >= 64 ? 64 : span >= 32 ? 32 : span >= 16 ? 16 : span >= 8 ? 8 : 4;
}

#ifdef MEMTAX_VECTORS

// Tokens are fetched this far ahead, into the sequences that follow if need be: hardware stops at the end of a page.
constexpr uint32_t kAhead = 2048;

inline Vector mixed_tokens(const uint16_t* tokens) {
    const Vector loaded = load(reinterpret_cast<const int16_t*>(tokens));
    return xor_shifted<7>(multiply(loaded, repeat(static_cast<int16_t>(kTokenFactor16))));
}

inline Vector mixed_tokens(const uint32_t* tokens) {
    return high_products(tokens, kTokenFactor32);
}

inline Vector combined(Vector left, Vector right, uint16_t factor) {
    return add(multiply(left, repeat(static_cast<int16_t>(factor))), right);
}

inline Vector finished(Vector sum) {
    return multiply(xor_shifted<8>(sum), repeat(static_cast<int16_t>(kOrderFactor)));
}

// Passes the tokens through all the steps at once, in registers: every step works on the vector that the step before
// made last, and on the one before that. So a step's result comes out one vector late, and so many vectors of zeros
// push the last ones through. `Run` is 4, 8 or 16.
template <typename Token, uint32_t Gram, uint32_t Run>
inline void order_and_runs(const Token* tokens, uint32_t n_tokens, uint32_t n_order, int16_t* order, int16_t* runs) {
    constexpr uint32_t order_delay = Gram == 4 ? 2 : 3;
    constexpr uint32_t run_delay = order_delay + (Run == 4 ? 2 : Run == 8 ? 3 : 4);
    const Vector zero = repeat(0);
    Vector mix = zero, pairs = zero, quads = zero, ordered = zero, low2 = zero, low4 = zero, low8 = zero;
    const auto step = [&](const Token* at, int16_t* order_to, int16_t* runs_to) {
        const Vector new_mix = mixed_tokens(at);
        const Vector new_pairs = combined(mix, shifted<1>(mix, new_mix), kPairFactor);
        const Vector sum4 = combined(pairs, shifted<2>(pairs, new_pairs), kQuadFactor);
        Vector new_ordered;
        if (Gram == 4) {
            new_ordered = finished(sum4);
        } else {
            new_ordered = finished(combined(quads, shifted<4>(quads, sum4), kOctFactor));
        }
        store(order_to, new_ordered);
        const Vector new_low2 = lower(ordered, shifted<1>(ordered, new_ordered));
        const Vector new_low4 = lower(low2, shifted<2>(low2, new_low2));
        Vector last = new_low4;
        if (Run >= 8) {
            const Vector new_low8 = lower(low4, shifted<4>(low4, new_low4));
            last = new_low8;
            if (Run >= 16) last = lower(low8, shifted<8>(low8, new_low8));
            low8 = new_low8;
        }
        store(runs_to, last);
        mix = new_mix, pairs = new_pairs, quads = sum4, ordered = new_ordered, low2 = new_low2, low4 = new_low4;
    };
    // The first results are of zeros: they go before the arrays' beginning, into the margin that Scratch leaves.
    const uint32_t whole = n_tokens / kLanes * kLanes;
    const uint32_t needed = (n_order + kLanes - 1) / kLanes * kLanes + run_delay * kLanes;
    uint32_t i = 0;
    for (; i < whole && i < needed; i += kLanes) {
        __builtin_prefetch(tokens + i + kAhead);
        step(tokens + i, order + i - order_delay * kLanes, runs + i - run_delay * kLanes);
    }
    Token rest[kLanes] = {};
    std::memcpy(rest, tokens + whole, (n_tokens - whole) * sizeof(Token));
    for (; i < needed; i += kLanes) {
        step(rest, order + i - order_delay * kLanes, runs + i - run_delay * kLanes);
        std::memset(rest, 0, sizeof rest);
    }
}

inline void pairwise_lowest(const int16_t* from, uint32_t shift, uint32_t n, int16_t* to) {
    for (uint32_t i = 0; i < n; i += kLanes) store(to + i, lower(load(from + i), load(from + i + shift)));
}

// Fills lowest[0 … n - 1] and lists the windows whose anchor is not the one of the window before: the lowest order
// differs, or the gram that has just left had it (the same value may come again). Window 0 always is one.
inline uint32_t lowest_and_starts(const int16_t* order, const int16_t* runs, uint32_t shift, uint32_t n,
                                  int16_t* lowest, uint16_t* starts) {
    starts[0] = 0;
    uint32_t count = 1;
    Vector here = lower(load(runs), load(runs + shift));
    for (uint32_t i = 0; i < n; i += kLanes) {
        store(lowest + i, here);
        const Vector next = lower(load(runs + i + kLanes), load(runs + i + kLanes + shift));
        uint32_t changed = changed_mask(here, shifted<1>(here, next), load(order + i));
        if (n - 1 - i < kLanes) changed &= (uint32_t{1} << (n - 1 - i)) - 1;
        count += list_bits(changed, i + 1, starts + count);
        here = next;
    }
    return count;
}

// The first place in 0 … span - 1 that holds `value`; there is one.
inline uint32_t first_equal(const int16_t* at, int16_t value, uint32_t span) {
    const Vector wanted = repeat(value);
    for (uint32_t i = 0;; i += kLanes) {
        const uint32_t mask = equal_mask(load(at + i), wanted);
        if (mask != 0 || i + kLanes >= span) return i + _tzcnt_u32(mask);
    }
}

#else

inline uint32_t mixed_token(uint16_t token) {
    const uint32_t x = (uint32_t{token} * kTokenFactor16) & 0xffff;
    return x ^ (x >> 7);
}

inline uint32_t mixed_token(uint32_t token) {
    return (token * kTokenFactor32) >> 16;
}

inline int16_t combined(uint32_t left, uint32_t right, uint16_t factor) {
    return static_cast<int16_t>(static_cast<uint16_t>(left * factor + right));
}

inline int16_t finished(int16_t sum) {
    const uint32_t x = static_cast<uint16_t>(sum);
    return static_cast<int16_t>(static_cast<uint16_t>((x ^ (x >> 8)) * kOrderFactor));
}

inline void pairwise_lowest(const int16_t* __restrict from, uint32_t shift, uint32_t n, int16_t* __restrict to) {
    const int16_t* const ahead = from + shift;
    for (uint32_t i = 0; i < n; ++i) {
        // Both are loaded whatever comes, or a compiler may see a branch where there is a minimum.
        const int16_t a = from[i], b = ahead[i];
        to[i] = a < b ? a : b;
    }
}

template <typename Token, uint32_t Gram, uint32_t Run>
inline void order_and_runs(const Token* tokens, uint32_t n_tokens, uint32_t n_order, int16_t* order, int16_t* runs) {
    int16_t pairs[kScratchTokens], quads[kScratchTokens];
    const uint32_t n_grams = n_tokens - Gram + 1;
    for (uint32_t i = 0; i + 1 < n_tokens; ++i)
        pairs[i] = combined(mixed_token(tokens[i]), mixed_token(tokens[i + 1]), kPairFactor);
    for (uint32_t i = 0; i + 3 < n_tokens; ++i)
        quads[i] = combined(static_cast<uint16_t>(pairs[i]), static_cast<uint16_t>(pairs[i + 2]), kQuadFactor);
    for (uint32_t i = 0; i < n_grams; ++i)
        order[i] = finished(
            Gram == 4 ? quads[i]
                      : combined(static_cast<uint16_t>(quads[i]), static_cast<uint16_t>(quads[i + 4]), kOctFactor));
    // What lies past the last gram is computed with, and never used.
    for (uint32_t i = n_grams; i < n_order + 2 * Run; ++i) order[i] = 0;
    pairwise_lowest(order, 1, n_order + Run, pairs);
    pairwise_lowest(pairs, 2, n_order + Run, Run == 4 ? runs : quads);
    if (Run == 8) pairwise_lowest(quads, 4, n_order, runs);
    if (Run == 16) {
        pairwise_lowest(quads, 4, n_order + Run, pairs);
        pairwise_lowest(pairs, 8, n_order, runs);
    }
}

inline uint32_t lowest_and_starts(const int16_t* order, const int16_t* runs, uint32_t shift, uint32_t n,
                                  int16_t* lowest, uint16_t* starts) {
    pairwise_lowest(runs, shift, n, lowest);
    starts[0] = 0;
    uint32_t count = 1;
    for (uint32_t i = 0; i + 1 < n; ++i) {
        starts[count] = static_cast<uint16_t>(i + 1);
        count += static_cast<uint32_t>(lowest[i] != lowest[i + 1]) | static_cast<uint32_t>(lowest[i] == order[i]);
    }
    return count;
}

inline uint32_t first_equal(const int16_t* at, int16_t value, uint32_t span) {
    uint32_t place = 0;
    while (place + 1 < span && at[place] != value) ++place;
    return place;
}

#endif

// Order hashes of all grams in n_windows windows that begin one token apart, the lowest of each window, and the starts
// of their anchors, of which it returns the number.
template <typename Token, uint32_t Gram>
inline uint32_t find_anchors(const Token* tokens, uint32_t n_windows, uint32_t length, Scratch& scratch) {
    const uint32_t span = length - Gram + 1, run = run_of(span);
    const uint32_t n_tokens = n_windows + length - 1, n_order = n_windows + span;
    int16_t* const order = scratch.order + kMargin;
    int16_t* runs = scratch.runs + kMargin;
    int16_t* const other = scratch.other_runs + kMargin;
    constexpr uint32_t most = Gram == 4 ? 8 : 16;
    if (run >= most) {
        order_and_runs<Token, Gram, most>(tokens, n_tokens, n_order, order, runs);
    } else {
        order_and_runs<Token, Gram, most / 2>(tokens, n_tokens, n_order, order, runs);
    }
    if (run >= 32) {
        pairwise_lowest(runs, 16, n_order, other);
        if (run == 32) {
            runs = other;
        } else {
            pairwise_lowest(other, 32, n_order, runs);
        }
    }
    return lowest_and_starts(order, runs, span - run, n_windows, scratch.lowest, scratch.starts);
}
