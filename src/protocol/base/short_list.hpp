// SPDX-License-Identifier: Apache-2.0
//
// ShortList: a vector whose first element needs no memory of its own. Of lists that nearly always
// have one element and are made for every message.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <utility>
#include <vector>

namespace ringcast {

template <class T>
class ShortList {
 public:
  using value_type = T;
  using const_iterator = const T*;

  ShortList() = default;
  ShortList(const ShortList&) = default;
  ShortList& operator=(const ShortList&) = default;
  /// The other one is empty then.
  ShortList(ShortList&& other) noexcept
      : only_(std::move(other.only_)),
        many_(std::exchange(other.many_, {})),
        size_(std::exchange(other.size_, 0)) {}
  ShortList& operator=(ShortList&& other) noexcept {
    only_ = std::move(other.only_);
    many_ = std::exchange(other.many_, {});
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  ~ShortList() = default;
  ShortList(std::initializer_list<T> items) : ShortList(items.begin(), items.end()) {}
  template <class U>
  // NOLINTNEXTLINE(google-explicit-constructor): what takes a list takes a vector
  ShortList(const std::vector<U>& items) : ShortList(items.begin(), items.end()) {}
  template <class Iterator>
  ShortList(Iterator first, Iterator last) {
    for (; first != last; ++first) {
      push_back(T(*first));
    }
  }

  void reserve(std::size_t count) {
    if (count > 1) many_.reserve(count);
  }
  void push_back(T item) {
    if (size_ == 0) {
      only_ = std::move(item);
    } else {
      if (size_ == 1) many_.push_back(std::move(only_));
      many_.push_back(std::move(item));
    }
    ++size_;
  }

  [[nodiscard]] const T* data() const { return size_ > 1 ? many_.data() : &only_; }
  [[nodiscard]] const T* begin() const { return data(); }
  [[nodiscard]] const T* end() const { return data() + size_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] const T& front() const { return *data(); }
  [[nodiscard]] const T& operator[](std::size_t i) const { return data()[i]; }

  friend bool operator==(const ShortList& one, const ShortList& other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end());
  }

 private:
  T only_{};
  std::vector<T> many_;  ///< all of them, when there are more
  std::size_t size_{0};
};

}  // namespace ringcast
