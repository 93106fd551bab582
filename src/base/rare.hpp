// A part of a struct that few of its objects have. Where it is absent it takes the size of a pointer and
// reads as a default T; copies are copies of the value, and two are equal if what is read of them is.
#pragma once

#include <memory>

namespace baton {

template <typename T>
class Rare {
 public:
  Rare() = default;
  Rare(Rare&&) noexcept = default;
  Rare& operator=(Rare&&) noexcept = default;
  Rare(const Rare& other) : part_(other.part_ ? std::make_unique<T>(*other.part_) : nullptr) {}
  Rare& operator=(const Rare& other) {
    if (this != &other) *this = Rare(other);
    return *this;
  }
  ~Rare() = default;

  const T& operator*() const { return part_ ? *part_ : absent(); }
  const T* operator->() const { return &**this; }
  // The part, made if it was absent.
  T& edit() {
    if (!part_) part_ = std::make_unique<T>();
    return *part_;
  }

  friend bool operator==(const Rare& a, const Rare& b) { return (!a.part_ && !b.part_) || *a == *b; }

 private:
  static const T& absent() {
    static const T kAbsent{};
    return kAbsent;
  }

  std::unique_ptr<T> part_;
};

}  // namespace baton
