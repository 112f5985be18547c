// RecyclingAllocator: memory for objects of one type that come and go all the time, as requests do: what is freed is kept
// by the thread that freed it and given out again by it, so that a steady coming and going asks malloc(3) for nothing.
//
// For std::allocate_shared, and for a class's own operator new. Any thread; an object may be freed by another thread than
// the one that made it. Each thread keeps kBlocksMax blocks of a type at the most. A build with AddressSanitizer or
// ThreadSanitizer keeps none, for they look for the use of what was freed.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

namespace skua {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SKUA_RECYCLES_MEMORY false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SKUA_RECYCLES_MEMORY false
#endif
#endif
#ifndef SKUA_RECYCLES_MEMORY
#define SKUA_RECYCLES_MEMORY true
#endif

template <class T>
class RecyclingAllocator {
 public:
  using value_type = T;
  static constexpr std::size_t kBlocksMax = SKUA_RECYCLES_MEMORY ? 256 : 0;

  RecyclingAllocator() = default;
  template <class Other>
  RecyclingAllocator(const RecyclingAllocator<Other>&) {}

  T* allocate(std::size_t count) {
    Kept& kept = kept_here();
    if (count != 1 || kept.first == nullptr) return static_cast<T*>(::operator new(count * sizeof(T)));
    Block* block = kept.first;
    kept.first = block->next;
    --kept.count;
    return reinterpret_cast<T*>(block);
  }

  void deallocate(T* memory, std::size_t count) {
    Kept& kept = kept_here();
    if (count != 1 || kept.count >= kBlocksMax) return ::operator delete(memory);
    kept.first = ::new (static_cast<void*>(memory)) Block{kept.first};
    ++kept.count;
  }

  friend bool operator==(const RecyclingAllocator&, const RecyclingAllocator&) { return true; }

 private:
  struct Block {
    Block* next;
  };
  static_assert(sizeof(T) >= sizeof(Block) && alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

  struct Kept {
    Block* first = nullptr;
    std::size_t count = 0;
    Kept() = default;
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;
    ~Kept() {
      while (first != nullptr) ::operator delete(static_cast<void*>(std::exchange(first, first->next)));
      // What is freed later, by the destructor of something else of this thread, is not kept.
      count = kBlocksMax;
    }
  };

  static Kept& kept_here() {
    static thread_local Kept kept;
    return kept;
  }
};

}  // namespace skua
