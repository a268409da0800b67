// Visits a std::variant without a default: an alternative that nobody handles does not compile.
#pragma once

namespace slipway {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace slipway
