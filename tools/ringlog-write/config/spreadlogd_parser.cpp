// SPDX-License-Identifier: Apache-2.0
//
// A lexer that knows places, and one function per rule of the grammar.
#include "tools/ringlog-write/config/spreadlogd_parser.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace ringcast::ringlog {

namespace {

struct Token {
  enum class Kind : std::uint8_t { word, equals, open, close, end };

  Kind kind{Kind::end};
  std::string text;
  bool is_quoted{false};
  FilePosition at;
};

class Lexer {
 public:
  Lexer(std::string_view text, Complaints& complaints) : text_(text), complaints_(complaints) {}

  /// A bare value may hold "=".
  Token next(bool is_value) {
    skip_blanks();
    Token token;
    token.at = at_;
    if (text_.empty()) return token;
    const char first = text_.front();
    if (first == '{' || first == '}' || (first == '=' && !is_value)) {
      token.kind = first == '{'   ? Token::Kind::open
                   : first == '}' ? Token::Kind::close
                                  : Token::Kind::equals;
      token.text = std::string(1, first);
      advance(1);
      return token;
    }
    token.kind = Token::Kind::word;
    if (first == '"' || first == '\'') {
      take_quoted(token);
    } else {
      const auto end = text_.find_first_of(is_value ? " \t\r\n\f\v#{}" : " \t\r\n\f\v#{}=");
      token.text = std::string(text_.substr(0, end));
      advance(token.text.size());
    }
    return token;
  }

 private:
  void advance(std::size_t count) {
    for (const char letter : text_.substr(0, count)) {
      ++at_.column;
      if (letter != '\n') continue;
      ++at_.line;
      at_.column = 1;
    }
    text_.remove_prefix(std::min(count, text_.size()));
  }

  void skip_blanks() {
    while (!text_.empty()) {
      if (text_.front() == '#') {
        advance(std::min(text_.find('\n'), text_.size()));
      } else if (std::string_view(" \t\r\n\f\v").find(text_.front()) != std::string_view::npos) {
        advance(1);
      } else {
        return;
      }
    }
  }

  void take_quoted(Token& token) {
    token.is_quoted = true;
    const auto end = text_.find(text_.front(), 1);
    if (end == std::string_view::npos) {
      complaints_.complain(
          token.at, "a string that does not end", "close it with " + std::string(1, text_.front()));
    }
    token.text = std::string(text_.substr(1, end == std::string_view::npos ? end : end - 1));
    advance(end == std::string_view::npos ? text_.size() : end + 1);
  }

  std::string_view text_;
  Complaints& complaints_;
  FilePosition at_{.line = 1, .column = 1};
};

using Words = std::vector<std::string>;

// With "=" and without; LoadModule may have two words behind it.
const Words global_assigned{"BufferSize", "ModuleDir"};
const Words global_plain{"LoadModule", "PerlLib", "PerlUse", "PythonLib", "PythonImport"};
const Words spread_assigned{"Port", "Host"};
const Words log_assigned{"Group", "File", "Match", "VhostDir", "RewriteTimestamp"};
const Words log_plain{"ModuleLog", "PerlLog", "PerlHup", "PythonLog"};

bool holds(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

class Parser {
 public:
  Parser(std::string_view text, Complaints& complaints)
      : lexer_(text, complaints), complaints_(complaints) {
    step();
  }

  SpreadlogdFile parse() {
    SpreadlogdFile file;
    while (token_.kind != Token::Kind::end) {
      if (is_block("Spread")) {
        file.spreads.push_back(spread());
      } else {
        setting(file.settings, global_assigned, global_plain, {"Spread"});
      }
    }
    return file;
  }

 private:
  void step(bool is_value = false) { token_ = lexer_.next(is_value); }

  [[nodiscard]] bool is_block(std::string_view name) const {
    return token_.kind == Token::Kind::word && !token_.is_quoted && token_.text == name;
  }

  // "NAME {": whether there is a brace behind the name.
  bool open(const std::string& name) {
    step();
    if (token_.kind == Token::Kind::open) {
      step();
      return true;
    }
    complaints_.complain(token_.at, "no { behind " + name, "write " + name + " { ... }");
    return false;
  }

  // True at the brace that closes the block, which is taken, and at the end of the file.
  bool close(const std::string& name, FilePosition at) {
    if (token_.kind == Token::Kind::close) {
      step();
      return true;
    }
    if (token_.kind != Token::Kind::end) return false;
    complaints_.complain(at, "this " + name + " block does not end", "close it with }");
    return true;
  }

  SpreadlogdSpread spread() {
    SpreadlogdSpread made;
    made.at = token_.at;
    if (!open("Spread")) return made;
    while (!close("Spread", made.at)) {
      if (is_block("Log")) {
        made.logs.push_back(log());
      } else {
        setting(made.settings, spread_assigned, {}, {"Log"});
      }
    }
    return made;
  }

  SpreadlogdLog log() {
    SpreadlogdLog made;
    made.at = token_.at;
    if (!open("Log")) return made;
    while (!close("Log", made.at)) {
      setting(made.settings, log_assigned, log_plain, {});
    }
    return made;
  }

  // Takes at least one token.
  void setting(
      std::vector<SpreadlogdSetting>& settings,
      const Words& assigned,
      const Words& plain,
      const Words& blocks) {
    const auto key = std::exchange(token_, {});
    const bool is_word = key.kind == Token::Kind::word && !key.is_quoted;
    const bool is_assigned = is_word && holds(assigned, key.text);
    if (!is_assigned && !(is_word && holds(plain, key.text))) {
      refuse(key, assigned, plain, blocks);
      step();
      return;
    }
    step(!is_assigned);
    if (is_assigned) {
      if (token_.kind != Token::Kind::equals) {
        complaints_.complain(
            token_.at, "no = behind " + key.text, "write " + key.text + " = VALUE");
        return;
      }
      step(true);
    }
    if (token_.kind != Token::Kind::word) {
      complaints_.complain(
          token_.at,
          key.text + " has no value",
          "give it one, in quotes if it holds blanks or braces");
      return;
    }
    SpreadlogdSetting made{key.text, token_.text, {}, key.at, token_.at};
    step();
    if (key.text == "LoadModule") take_module_configuration(made);
    settings.push_back(std::move(made));
  }

  // Optional: a word that begins no other statement.
  void take_module_configuration(SpreadlogdSetting& made) {
    if (token_.kind != Token::Kind::word) return;
    const bool is_keyword =
        !token_.is_quoted && (holds(global_assigned, token_.text) ||
                              holds(global_plain, token_.text) || token_.text == "Spread");
    if (is_keyword) return;
    made.more = token_.text;
    step();
  }

  void refuse(const Token& found, const Words& assigned, const Words& plain, const Words& blocks) {
    auto known = assigned;
    known.insert(known.end(), plain.begin(), plain.end());
    known.insert(known.end(), blocks.begin(), blocks.end());
    if (found.kind != Token::Kind::word) {
      complaints_.complain(
          found.at,
          ringcast::quoted(found.text) + " has no place here",
          "remove it, or look for a brace too many above");
      return;
    }
    complaints_.complain(
        found.at,
        "unknown word " + ringcast::quoted(found.text),
        "did you mean " + ringcast::quoted(nearest(found.text.substr(0, 64), known)) + "?");
  }

  Lexer lexer_;
  Complaints& complaints_;
  Token token_;
};

}  // namespace

SpreadlogdFile parse_spreadlogd(std::string_view text, Complaints& complaints) {
  return Parser(text, complaints).parse();
}

}  // namespace ringcast::ringlog
