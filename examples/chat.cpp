// SPDX-License-Identifier: Apache-2.0
//
// A chat room: every member sees the same lines, joins and departures in the same order.
// Shows a Client in an event loop of its own, without threads.
//
//   chat ROOM NAME                     (a ringcastd must be running on this host)
//   c++ -std=c++20 chat.cpp -o chat $(pkg-config --cflags --libs ringcast)
#include <array>
#include <iostream>
#include <poll.h>
#include <ringcast/client.hpp>
#include <unistd.h>

void show(const ringcast::Message& message) {
  const auto* text = reinterpret_cast<const char*>(message.payload.data());
  std::cout << message.sender.session << ": " << std::string(text, message.payload.size());
}
void show(const ringcast::View& view) {
  std::cout << "* " << to_string(view.cause) << "; here now:";
  for (const auto& member : view.members) {
    std::cout << ' ' << to_string(member);
  }
  std::cout << '\n';
}
void show(const ringcast::Closed& closed) { std::cout << "* " << closed.reason << '\n'; }
void show(const auto&) {}
const auto show_any = [](const auto& event) { show(event); };

ringcast::Result<void> chat(ringcast::Client& client, const std::string& room) {
  if (auto joined = client.join(room); !joined) return joined;
  for (;;) {
    const auto event = client.try_receive();
    if (!event) return event.error();
    if (*event) {
      std::visit(show_any, **event);
      continue;
    }
    std::cout.flush();
    std::array<pollfd, 2> wait{{{STDIN_FILENO, POLLIN, 0}, {client.fd(), POLLIN, 0}}};
    if (client.wants_write()) wait[1].events |= POLLOUT;
    if (poll(wait.data(), wait.size(), -1) <= 0 || wait[0].revents == 0) continue;
    std::array<std::byte, 4096> line{};
    const auto size = read(STDIN_FILENO, line.data(), line.size());
    const auto deadline = ringcast::Client::Clock::now() + std::chrono::seconds(5);
    if (size <= 0) return client.close(deadline);
    const auto text = std::span(line.data(), static_cast<std::size_t>(size));
    const auto sent = client.publish({.groups = {room}, .payload = text}, deadline);
    if (!sent) return sent.error();
  }
}

int main(int argc, char** argv) {
  ringcast::ClientOptions options;
  options.name = argc > 2 ? argv[2] : "";
  auto client = ringcast::Client::connect(options);
  const auto done = client ? chat(*client, argc > 1 ? argv[1] : "lobby") : client.error();
  if (!done) std::cerr << "chat: " << done.error().message << '\n';
  return done ? 0 : 1;
}
