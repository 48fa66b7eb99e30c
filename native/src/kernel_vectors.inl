// Vectors of 16-bit elements, by instruction set: what kernel_minimizers.inl is written in. Included by it alone.
//
// MEMTAX_VECTORS is defined where there are any; without them the compiler vectorises plain loops as it can.

#if defined(__AVX512VBMI2__) && defined(__AVX512BW__)
#define MEMTAX_VECTORS 1

struct Vector {
    __m512i v;
};

constexpr uint32_t kLanes = 32;

inline Vector load(const int16_t* at) {
    return {_mm512_loadu_si512(at)};
}

inline void store(int16_t* at, Vector a) {
    _mm512_storeu_si512(at, a.v);
}

inline Vector repeat(int16_t value) {
    return {_mm512_set1_epi16(value)};
}

inline Vector multiply(Vector a, Vector b) {
    return {_mm512_mullo_epi16(a.v, b.v)};
}

inline Vector add(Vector a, Vector b) {
    return {_mm512_add_epi16(a.v, b.v)};
}

inline Vector lower(Vector a, Vector b) {
    return {_mm512_min_epi16(a.v, b.v)};
}

template <int Bits>
inline Vector xor_shifted(Vector a) {
    return {_mm512_xor_si512(a.v, _mm512_srli_epi16(a.v, Bits))};
}

// Elements Shift … Shift + kLanes - 1 of a followed by b.
template <int Shift>
inline Vector shifted(Vector a, Vector b) {
    if (Shift % 2 == 0) return {_mm512_alignr_epi32(b.v, a.v, Shift / 2 % 16)};
    alignas(64) uint16_t places[kLanes] = {};
    for (uint32_t i = 0; i < kLanes; ++i) places[i] = static_cast<uint16_t>(i + Shift);
    return {_mm512_permutex2var_epi16(a.v, _mm512_load_si512(places), b.v)};
}

// The 32-bit products of 32 tokens, their upper halves.
inline Vector high_products(const uint32_t* tokens, uint32_t factor) {
    const __m512i by = _mm512_set1_epi32(static_cast<int>(factor));
    const __m512i low = _mm512_srli_epi32(_mm512_mullo_epi32(_mm512_loadu_si512(tokens), by), 16);
    const __m512i high = _mm512_srli_epi32(_mm512_mullo_epi32(_mm512_loadu_si512(tokens + 16), by), 16);
    return {_mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi32_epi16(low)), _mm512_cvtepi32_epi16(high), 1)};
}

// One bit per element.
inline uint32_t equal_mask(Vector a, Vector b) {
    return _mm512_cmpeq_epi16_mask(a.v, b.v);
}

// One bit for each element of a that differs from b's or equals c's.
inline uint32_t changed_mask(Vector a, Vector b, Vector c) {
    return ~equal_mask(a, b) | equal_mask(a, c);
}

// Writes base + place of each bit of the mask; may write kLanes elements.
inline uint32_t list_bits(uint32_t mask, uint32_t base, uint16_t* to) {
    alignas(64) uint16_t places[kLanes] = {};
    for (uint32_t i = 0; i < kLanes; ++i) places[i] = static_cast<uint16_t>(i);
    const __m512i numbers = _mm512_add_epi16(_mm512_load_si512(places), _mm512_set1_epi16(static_cast<int16_t>(base)));
    _mm512_storeu_si512(to, _mm512_maskz_compress_epi16(mask, numbers));
    return static_cast<uint32_t>(_mm_popcnt_u32(mask));
}

#elif defined(__AVX2__)
#define MEMTAX_VECTORS 1

// Two registers, so that masks are of 32 bits here too.
struct Vector {
    __m256i low, high;
};

constexpr uint32_t kLanes = 32;

inline Vector load(const int16_t* at) {
    const __m256i* const from = reinterpret_cast<const __m256i*>(at);
    return {_mm256_loadu_si256(from), _mm256_loadu_si256(from + 1)};
}

inline void store(int16_t* at, Vector a) {
    __m256i* const to = reinterpret_cast<__m256i*>(at);
    _mm256_storeu_si256(to, a.low);
    _mm256_storeu_si256(to + 1, a.high);
}

inline Vector repeat(int16_t value) {
    return {_mm256_set1_epi16(value), _mm256_set1_epi16(value)};
}

inline Vector multiply(Vector a, Vector b) {
    return {_mm256_mullo_epi16(a.low, b.low), _mm256_mullo_epi16(a.high, b.high)};
}

inline Vector add(Vector a, Vector b) {
    return {_mm256_add_epi16(a.low, b.low), _mm256_add_epi16(a.high, b.high)};
}

inline Vector lower(Vector a, Vector b) {
    return {_mm256_min_epi16(a.low, b.low), _mm256_min_epi16(a.high, b.high)};
}

template <int Bits>
inline Vector xor_shifted(Vector a) {
    return {_mm256_xor_si256(a.low, _mm256_srli_epi16(a.low, Bits)),
            _mm256_xor_si256(a.high, _mm256_srli_epi16(a.high, Bits))};
}

// Elements Shift … Shift + 15 of a followed by b, for Shift up to 8.
template <int Shift>
inline __m256i shifted_half(__m256i a, __m256i b) {
    const __m256i middle = _mm256_permute2x128_si256(a, b, 0x21);
    return Shift == 8 ? middle : _mm256_alignr_epi8(middle, a, 2 * Shift % 16);
}

template <int Shift>
inline Vector shifted(Vector a, Vector b) {
    return {shifted_half<Shift>(a.low, a.high), shifted_half<Shift>(a.high, b.low)};
}

inline __m256i high_products_half(const uint32_t* tokens, __m256i by) {
    const __m256i* const from = reinterpret_cast<const __m256i*>(tokens);
    const __m256i low = _mm256_srli_epi32(_mm256_mullo_epi32(_mm256_loadu_si256(from), by), 16);
    const __m256i high = _mm256_srli_epi32(_mm256_mullo_epi32(_mm256_loadu_si256(from + 1), by), 16);
    return _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xd8);
}

inline Vector high_products(const uint32_t* tokens, uint32_t factor) {
    const __m256i by = _mm256_set1_epi32(static_cast<int>(factor));
    return {high_products_half(tokens, by), high_products_half(tokens + 16, by)};
}

// One bit for each element of a that differs from b's or equals c's.
inline uint32_t changed_mask(Vector a, Vector b, Vector c) {
    const __m256i low = _mm256_andnot_si256(_mm256_cmpeq_epi16(a.low, c.low), _mm256_cmpeq_epi16(a.low, b.low));
    const __m256i high = _mm256_andnot_si256(_mm256_cmpeq_epi16(a.high, c.high), _mm256_cmpeq_epi16(a.high, b.high));
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xd8);
    return ~static_cast<uint32_t>(_mm256_movemask_epi8(packed));
}

inline uint32_t equal_mask(Vector a, Vector b) {
    const __m256i low = _mm256_cmpeq_epi16(a.low, b.low), high = _mm256_cmpeq_epi16(a.high, b.high);
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xd8);
    return static_cast<uint32_t>(_mm256_movemask_epi8(packed));
}

// Six at once without a branch, as most masks have no more: how many there are is not to be foretold, and a wrong guess
// costs more than idle steps.
inline uint32_t list_bits(uint32_t mask, uint32_t base, uint16_t* to) {
    const uint32_t count = static_cast<uint32_t>(_mm_popcnt_u32(mask));
    for (uint32_t i = 0; i < 6; ++i) {
        to[i] = static_cast<uint16_t>(base + _tzcnt_u32(mask));
        mask = _blsr_u32(mask);
    }
    for (uint32_t i = 6; __builtin_expect(mask != 0, 0); ++i) {
        to[i] = static_cast<uint16_t>(base + _tzcnt_u32(mask));
        mask = _blsr_u32(mask);
    }
    return count;
}

#endif
