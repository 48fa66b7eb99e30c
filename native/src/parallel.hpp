// Work shared out over threads.
//
// Threads are started for each call (tens of microseconds) rather than kept: no pool to be broken by a fork, and none
// idle inside the database that calls us. The calling thread takes part.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace memtax {

// The processors that this process may use.
unsigned available_threads();

// Calls work(task) for every task in 0 … n_tasks - 1, each once, in no order, on up to `threads` threads.
// `make_worker()` is called once in each of them and returns what is called. Rethrows the first exception after all
// have stopped.
template <typename MakeWorker>
void for_each_task(size_t n_tasks, unsigned threads, MakeWorker make_worker) {
    std::atomic<size_t> next{0};
    std::exception_ptr failure;
    std::mutex failure_lock;
    const auto run = [&] {
        try {
            auto worker = make_worker();
            for (size_t task; (task = next.fetch_add(1)) < n_tasks;) worker(task);
        } catch (...) {
            const std::lock_guard<std::mutex> guard(failure_lock);
            if (!failure) failure = std::current_exception();
            next.store(n_tasks);
        }
    };
    std::vector<std::thread> helpers;
    const size_t wanted = threads < n_tasks ? threads : n_tasks;
    try {
        for (size_t i = 1; i < wanted; ++i) helpers.emplace_back(run);
    } catch (const std::system_error&) {
        // No more threads to be had: those that there are do all the work.
    }
    run();
    for (std::thread& helper : helpers) helper.join();
    if (failure) std::rethrow_exception(failure);
}

// The same for work that needs no state of its own.
template <typename Work>
void parallel_for(size_t n_tasks, unsigned threads, const Work& work) {
    for_each_task(n_tasks, threads, [&work] { return [&work](size_t task) { work(task); }; });
}

}  // namespace memtax
