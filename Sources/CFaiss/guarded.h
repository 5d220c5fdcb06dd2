// Turns what C++ throws into a code and a sentence. Private to this target.
#pragma once

#include <cstdio>
#include <new>
#include <stdexcept>

namespace freshet {

/// The codes are those of both C headers: 0, out of memory, invalid, failed.
template <typename Work>
int guarded(char *message, size_t message_bytes, Work work) {
    try {
        work();
        return 0;
    } catch (const std::bad_alloc &) {
        std::snprintf(message, message_bytes, "out of memory");
        return 1;
    } catch (const std::invalid_argument &error) {
        std::snprintf(message, message_bytes, "%s", error.what());
        return 2;
    } catch (const std::exception &error) {
        std::snprintf(message, message_bytes, "%s", error.what());
        return 3;
    } catch (...) {
        std::snprintf(message, message_bytes, "an unknown C++ exception");
        return 3;
    }
}

inline void require(bool condition, const char *otherwise) {
    if (!condition) throw std::invalid_argument(otherwise);
}

}  // namespace freshet
