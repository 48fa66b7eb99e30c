#include "similarity_count.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>

#include "parallel.hpp"
#include "similarity_exact.hpp"

namespace memtax::similarity {
namespace {

// Queries that are taken together: their codes (72 KB at 384 dimensions) stay in the second-level cache.
constexpr size_t kBlockQueries = 192;
// Groups of references to a task, likewise (768 KB).
constexpr size_t kTaskGroups = 32;
static_assert(kBlockQueries % kQueryStep == 0);

class Counter {
  public:
    Counter(const References& references, const Queries& queries, const std::vector<double>& thresholds,
            const int64_t* own)
        : references_(references), queries_(queries), thresholds_(thresholds), own_(own) {
        queries.bounds(thresholds.front(), alphas_, betas_);
        // What rounding of two norms, a product and a quotient may come to, relative to a cosine of 1.
        const double units = 4.0 * static_cast<double>(queries.vectors().dims + 16);
        rounding_ = units * std::numeric_limits<double>::epsilon();
    }

    // Calls keep(query, reference, level) for every match among some groups of references.
    template <typename Keep>
    void find(size_t first_group, size_t end_group, std::vector<Candidate>& found, const Keep& keep) const {
        for (size_t first = 0; first < queries_.vectors().n; first += kBlockQueries) {
            const size_t n = std::min(kBlockQueries, queries_.n_padded() - first);
            const QueryBlock block{
                queries_.codes(first), queries_.corrections(first), alphas_.data() + first, betas_.data() + first, n,
                queries_.depth()};
            found.resize(n * kGroup);
            for (size_t group = first_group; group < end_group; ++group) {
                const size_t n_found = queries_.kernel().screen(references_.group(group), block, found.data());
                for (size_t i = 0; i < n_found; ++i) {
                    const size_t query = first + found[i].query, reference = group * kGroup + found[i].reference;
                    if (own_ != nullptr && own_[query] == static_cast<int64_t>(reference)) continue;
                    const size_t level = level_of(query, reference, found[i].product);
                    if (level > 0) keep(query, reference, level);
                }
            }
        }
    }

  private:
    // How many thresholds the pair reaches. The first estimate that is sure of it decides: codes, float64, exact sums.
    size_t level_of(size_t query, size_t reference, int32_t product) const {
        const double query_error = queries_.error(query);
        const double cosine = static_cast<double>(queries_.scale(query)) * references_.scale(reference) * product;
        const double error = query_error + (1 + query_error) * references_.error(reference) + kSlack;
        size_t level = 0;
        if (is_sure(cosine, error, level)) return level;
        const float* const a = queries_.vectors().row(query);
        const float* const b = references_.vectors().row(reference);
        const size_t dims = queries_.vectors().dims;
        const double norms = queries_.norm(query) * references_.norm(reference);
        if (is_sure(queries_.kernel().dot(a, b, dims) / norms, rounding_, level)) return level;
        return reached(exact_cosine(a, b, dims));
    }

    bool is_sure(double cosine, double error, size_t& level) const {
        level = reached(cosine - error);
        return level == reached(cosine + error);
    }

    size_t reached(double cosine) const {
        return static_cast<size_t>(std::upper_bound(thresholds_.begin(), thresholds_.end(), cosine) -
                                   thresholds_.begin());
    }

    const References& references_;
    const Queries& queries_;
    const std::vector<double>& thresholds_;
    const int64_t* own_;
    std::vector<float> alphas_, betas_;
    double rounding_;
};

}  // namespace

Matches count_matches(const References& references, const Queries& queries, const std::vector<double>& thresholds,
                      const int64_t* own, size_t most_pairs, unsigned threads) {
    const size_t levels = thresholds.size();
    Matches result;
    result.counts.assign(queries.vectors().n * levels, 0);
    const Counter counter(references, queries, thresholds, own);
    std::mutex lock;
    std::atomic<bool> complete{true};
    const size_t n_tasks = (references.groups() + kTaskGroups - 1) / kTaskGroups;
    for_each_task(n_tasks, threads, [&] {
        return [&, found = std::vector<Candidate>(), pairs = std::vector<Pair>()](size_t task) mutable {
            pairs.clear();
            std::vector<int64_t> counts(result.counts.size());
            const size_t end = std::min((task + 1) * kTaskGroups, references.groups());
            counter.find(task * kTaskGroups, end, found, [&](size_t query, size_t reference, size_t level) {
                for (size_t i = 0; i < level; ++i) ++counts[query * levels + i];
                if (most_pairs == 0 || !complete.load(std::memory_order_relaxed)) return;
                pairs.push_back(
                    {static_cast<uint32_t>(query), static_cast<uint32_t>(reference), static_cast<uint32_t>(level)});
                if (pairs.size() > most_pairs) complete.store(false, std::memory_order_relaxed);
            });
            const std::lock_guard<std::mutex> guard(lock);
            for (size_t i = 0; i < counts.size(); ++i) result.counts[i] += counts[i];
            if (result.pairs.size() + pairs.size() > most_pairs) complete.store(most_pairs == 0);
            if (complete.load()) result.pairs.insert(result.pairs.end(), pairs.begin(), pairs.end());
        };
    });
    result.complete = complete.load();
    if (!result.complete) result.pairs.clear();
    return result;
}

}  // namespace memtax::similarity
