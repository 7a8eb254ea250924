// SPDX-License-Identifier: Apache-2.0
//
// What each statement of spreadlogd.conf becomes.
#include "tools/ringlog-write/config/spreadlogd.hpp"

#include <algorithm>
#include <utility>

#include "tools/ringlog-write/config/spreadlogd_parser.hpp"
#include "tools/ringlog/options.hpp"

namespace ringcast::ringlog {

namespace {

constexpr std::size_t file_bytes_max = std::size_t{1} << 20U;

bool is_made_of(const std::string& text, std::string_view more) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char letter) {
    const bool is_plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                          (letter >= '0' && letter <= '9') || letter == '_';
    return is_plain || more.find(letter) != std::string_view::npos;
  });
}

class Translator {
 public:
  ReadWriterConfig translate(std::string_view text, const std::string& state) {
    result_.config.state = state.empty() ? default_state_directory() : state;
    if (text.size() > file_bytes_max) {
      complaints_.complain(
          {.line = 1, .column = 1},
          "the file has more than 1 MiB",
          "is it spreadlogd's configuration?");
      return finish();
    }
    const auto file = parse_spreadlogd(text, complaints_);
    for (const auto& setting : file.settings) {
      translate_global(setting);
    }
    for (const auto& spread : file.spreads) {
      for (const auto& setting : spread.settings) {
        note(
            setting.at,
            setting.key + " names a daemon of Spread",
            "ringlog-write takes --socket or --server");
      }
      for (const auto& log : spread.logs) {
        translate_log(log);
      }
    }
    if (complaints_.empty() && result_.config.groups.empty()) {
      complaints_.complain(
          {.line = 1, .column = 1},
          "there is no Log block",
          "write Spread { Log { Group = ... } }");
    }
    return finish();
  }

 private:
  ReadWriterConfig finish() {
    result_.problems = complaints_.take();
    result_.notes = notes_.take();
    return std::move(result_);
  }

  void note(FilePosition at, std::string what, std::string instead) {
    notes_.complain(at, std::move(what), std::move(instead));
  }

  void translate_global(const SpreadlogdSetting& setting) {
    if (setting.value.find('\0') != std::string::npos) {
      complaints_.complain(setting.value_at, "a NUL byte", "remove it");
    } else if (setting.key == "PerlLib") {
      perl_.insert(perl_.end(), {"-I", setting.value});
    } else if (setting.key == "PerlUse") {
      if (require(setting, ":", "the name of a Perl module")) perl_.push_back("-M" + setting.value);
    } else if (setting.key == "PythonLib") {
      python_lib_ += (python_lib_.empty() ? "" : ":") + setting.value;
    } else if (setting.key == "PythonImport") {
      if (require(setting, ".", "the name of a Python module")) {
        python_imports_ += ", " + setting.value;
      }
    } else if (setting.key == "LoadModule" || setting.key == "ModuleDir") {
      note(
          setting.at,
          "C modules are not loaded",
          "ringlog-monitor has what the sample modules did, exec sinks run programs");
    } else if (setting.key == "BufferSize") {
      note(setting.at, "BufferSize has no meaning here", "lines may have up to 8 MiB");
    }
  }

  bool require(const SpreadlogdSetting& setting, std::string_view more, const std::string& what) {
    if (is_made_of(setting.value, more)) return true;
    complaints_.complain(
        setting.value_at,
        ringcast::quoted(setting.value) + " is not " + what,
        "use letters, digits, '_' and '" + std::string(more) + "'");
    return false;
  }

  void translate_log(const SpreadlogdLog& log) {
    const auto* const group = last(log, "Group");
    if (group == nullptr) {
      complaints_.complain(log.at, "this Log has no Group", "add Group = NAME");
      return;
    }
    if (const auto problem = log_group(group->value); !problem.empty()) {
      complaints_.complain(
          group->value_at, ringcast::quoted(group->value) + " is no group", problem);
      return;
    }
    add_group(*group);
    SinkConfig base;
    base.group = group->value;
    for (const auto& setting : log.settings) {
      translate_rule(setting, base.rules);
    }
    const auto sinks_before = result_.config.sinks.size();
    add_file_sinks(log, base);
    base.rules.match.clear();  // handlers get every line
    for (const auto& setting : log.settings) {
      add_hook(setting, base);
    }
    const bool has_module = last(log, "ModuleLog") != nullptr;
    if (complaints_.empty() && result_.config.sinks.size() == sinks_before && !has_module) {
      complaints_.complain(log.at, "this Log writes nowhere", "add File = PATH");
    }
  }

  static const SpreadlogdSetting* last(const SpreadlogdLog& log, std::string_view key) {
    const SpreadlogdSetting* found = nullptr;
    for (const auto& setting : log.settings) {
      if (setting.key == key) found = &setting;
    }
    return found;
  }

  void add_group(const SpreadlogdSetting& setting) {
    auto& groups = result_.config.groups;
    const bool is_known = std::any_of(groups.begin(), groups.end(), [&](const GroupConfig& group) {
      return group.name == setting.value;
    });
    if (is_known) {
      note(
          setting.at,
          "group " + setting.value + " has a Log already, and spreadlogd ignored a second one",
          "here both are written");
      return;
    }
    GroupConfig group;
    group.name = setting.value;
    group.journal = result_.config.state + "/" + group.name + ".journal";
    groups.push_back(std::move(group));
  }

  void translate_rule(const SpreadlogdSetting& setting, LineRuleOptions& rules) {
    if (setting.key == "Match") {
      if (const auto problem = expression_problem(setting.value)) {
        complaints_.complain(
            setting.value_at,
            ringcast::quoted(setting.value) + " is no regular expression: " + *problem,
            "write it in RE2's syntax, which is nearly POSIX's");
        return;
      }
      rules.match.push_back(setting.value);
    } else if (setting.key == "RewriteTimestamp") {
      rules.timestamp =
          setting.value == "CommonLogFormat" ? std::string(common_log_format) : setting.value;
      const bool is_format = setting.value.find('\0') == std::string::npos &&
                             !TimeFormat(rules.timestamp, true).at(0).empty();
      if (!is_format) {
        complaints_.complain(
            setting.value_at,
            "strftime makes nothing of " + ringcast::quoted(setting.value),
            "write CommonLogFormat or a format such as \"[%F %T]\"");
      }
    } else if (setting.key == "ModuleLog" || setting.key == "PerlHup") {
      note(
          setting.at,
          setting.key + " " + setting.value + " is left out",
          setting.key == "PerlHup" ? "at SIGHUP programs are ended and started again"
                                   : "C modules are not loaded");
    }
  }

  SinkConfig& add_sink(const SinkConfig& base, SinkType type) {
    auto& sink = result_.config.sinks.emplace_back(base);
    sink.type = type;
    // By its number in the group, so that a later group does not rename it.
    const auto number = std::count_if(
        result_.config.sinks.begin(), result_.config.sinks.end(), [&](const SinkConfig& other) {
          return other.group == base.group && other.type == type;
        });
    sink.name = (type == SinkType::file ? "file-" : "exec-") + std::to_string(number);
    return sink;
  }

  void add_file_sinks(const SpreadlogdLog& log, const SinkConfig& base) {
    const auto* const file = last(log, "File");
    if (const auto* const vhosts = last(log, "VhostDir"); vhosts != nullptr) {
      if (const auto path = literal_path(*vhosts)) {
        auto& sink = add_sink(base, SinkType::file);
        sink.rules.vhost = true;
        sink.file.path = *path + (path->ends_with('/') ? "{vhost}" : "/{vhost}");
      }
      if (file != nullptr) {
        note(file->at, "with VhostDir nothing goes to File", "as with spreadlogd");
      }
      return;
    }
    if (file == nullptr) return;
    if (file->value.starts_with('|')) {
      auto& sink = add_sink(base, SinkType::exec);
      sink.exec.command = {"/bin/sh", "-c", file->value.substr(1)};
      if (file->value.size() == 1 || file->value.find('\0') != std::string::npos) {
        complaints_.complain(file->value_at, "no command behind |", "write File = \"| COMMAND\"");
      }
    } else if (const auto path = literal_path(*file)) {
      add_sink(base, SinkType::file).file.path = *path;
    }
  }

  // As a template that means just this path.
  std::optional<std::string> literal_path(const SpreadlogdSetting& setting) {
    const bool is_dir = setting.key == "VhostDir";
    std::string path;
    for (const char letter : setting.value) {
      path += letter == '%' ? "%%" : std::string(1, letter);
    }
    const auto made = PathTemplate::parse(is_dir ? path + "/x" : path, true);
    if (made && setting.value.find('{') == std::string::npos) return path;
    complaints_.complain(
        setting.value_at,
        ringcast::quoted(setting.value) + " cannot be written",
        made ? "name a path without braces" : made.error().message);
    return std::nullopt;
  }

  void add_hook(const SpreadlogdSetting& setting, const SinkConfig& base) {
    if (setting.key == "PerlLog" && require(setting, ":", "the name of a Perl function")) {
      auto& sink = add_sink(base, SinkType::exec);
      sink.exec.json = true;
      sink.exec.command = {"perl"};
      sink.exec.command.insert(sink.exec.command.end(), perl_.begin(), perl_.end());
      sink.exec.command.insert(
          sink.exec.command.end(),
          {"-MJSON::PP",
           "-MMIME::Base64",
           "-ne",
           "my $l = decode_json($_); " + setting.value +
               "($l->{publisher}, $l->{group}, $l->{line} // decode_base64($l->{line_base64}));"});
      note(
          setting.at,
          "PerlLog " + setting.value + " runs in a perl of its own",
          "as an exec sink; a line comes again when that perl ends early");
    } else if (
        setting.key == "PythonLog" && require(setting, ".", "the name of a Python function")) {
      const auto module = setting.value.substr(0, setting.value.rfind('.'));
      auto& sink = add_sink(base, SinkType::exec);
      sink.exec.json = true;
      sink.exec.command = {
          "env",
          "PYTHONPATH=" + python_lib_,
          "python3",
          "-c",
          "import base64, json, sys" + python_imports_ +
              (module == setting.value ? "" : ", " + module) +
              "\nfor l in map(json.loads, sys.stdin):\n    " + setting.value +
              "(l.get('publisher', ''), l['group'], l['line'] if 'line' in l else "
              "base64.b64decode(l['line_base64']))\n"};
      note(
          setting.at,
          "PythonLog " + setting.value + " runs in a python3 of its own",
          "as an exec sink, called with sender, group and line; a line comes again when that "
          "python3 ends early");
    }
  }

  ReadWriterConfig result_;
  Complaints complaints_;
  Complaints notes_;
  std::vector<std::string> perl_;
  std::string python_lib_;
  std::string python_imports_;
};

}  // namespace

ReadWriterConfig read_spreadlogd(std::string_view text, const std::string& state) {
  return Translator().translate(text, state);
}

}  // namespace ringcast::ringlog
