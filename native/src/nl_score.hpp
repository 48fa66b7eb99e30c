// The features of nl_score for one text: the fast twin of udf/nl_score/features.py, which says what they are and why.
// Every result must equal that reference; tests/udf/test_nl_score_kernel.py holds it to that.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace memtax::nl_score {

// The constants of the reference, handed over by it so that there is one place to change them.
struct Settings {
    int buckets_log2;
    int character_orders;  // n-grams of 1 to so many symbols, at most 7
    int shape_orders;      // the same of the shape
    double shrinkage;      // n-grams that pull a short text towards the bias
};

// The n-grams of a text as buckets, those of its characters and those of its shape apart; reused from text to text.
struct Ngrams {
    std::vector<std::uint8_t> symbols, shape;
    std::vector<std::uint32_t> of_characters, of_shape;
};

void hash_ngrams(std::string_view utf8, const Settings& settings, Ngrams& out);

// The log-odds of natural language; NaN for a text without n-grams.
double log_odds(const Ngrams& ngrams, const Settings& settings, const float* weights, double bias);

}  // namespace memtax::nl_score
