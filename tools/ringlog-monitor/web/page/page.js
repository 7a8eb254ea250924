// SPDX-License-Identifier: Apache-2.0
//
// The page of ringlog-monitor. Whatever comes from a log is put in place as text, never as markup.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const setText = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };

  // Numbers and times as people read them. Times are UTC, as everywhere in ringlog.

  const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
  const short = (value) => {
    if (value === null || value === undefined) return "–";
    const units = ["", "k", "M", "G", "T"];
    let place = 0;
    while (Math.abs(value) >= 1000 && place < units.length - 1) {
      value /= 1000;
      place += 1;
    }
    const digits = value === 0 || Math.abs(value) >= 100 || (place === 0 && Number.isInteger(value)) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
    return value.toFixed(digits) + units[place];
  };
  const bytes = (value) => (value === null || value === undefined ? "–" : `${short(value).replace(/^([-\d.]+)/, "$1 ")}B`);
  const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 2 : 1)} %`;
  const latency = (ms) => {
    if (ms === null || ms === undefined) return "–";
    if (ms < 1) return `${Math.round(1000 * ms)} µs`;
    return ms < 1000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
  };
  const duration = (seconds) => {
    const two = (number) => String(number).padStart(2, "0");
    if (seconds < 60) return `${seconds} s`;
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor(seconds / 60) % 60;
    return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  };
  const moment = (seconds) => new Date(seconds * 1000).toISOString();
  const clock = (iso) => (iso ? iso.slice(11, 19) : "");
  const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const day = (seconds) => {
    const date = new Date(seconds * 1000);
    return `${days[date.getUTCDay()]} ${date.getUTCDate()} ${months[date.getUTCMonth()]}`;
  };

  // What is looked at. Group and table are in the address, so that a link leads there.

  const state = { group: "", table: "pages", range: "900", isLog: false, figures: null, sort: {}, paused: false, history: null };
  const readAddress = () => {
    const words = new URLSearchParams(location.hash.slice(1));
    state.group = words.get("group") ?? "";
    if (tables.has(words.get("table"))) state.table = words.get("table");
    return words.get("token");
  };
  const writeAddress = () => {
    const words = new URLSearchParams();
    if (state.group) words.set("group", state.group);
    words.set("table", state.table);
    history.replaceState(null, "", `#${words}`);
  };

  // Asking. One question of a kind at a time: an answer that a newer one has overtaken is dropped.

  const asking = new Map();
  let signedIn = 0; // how often: a refusal of what was asked before says nothing
  const ask = async (kind, path, parameters) => {
    asking.get(kind)?.abort();
    const control = new AbortController();
    asking.set(kind, control);
    const askedAt = signedIn;
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) if (value !== "") query.set(name, value);
    try {
      const response = await fetch(`${path}?${query}`, { signal: control.signal });
      if (response.status === 401 && askedAt === signedIn) showLogin();
      if (!response.ok && response.status !== 404 && response.status !== 400) return null;
      const answer = await response.json();
      return asking.get(kind) === control ? answer : null;
    } catch {
      return null; // stopped, or out of reach: the stream of events says so
    }
  };

  // Signing in.

  const showBoard = (isShown) => {
    byId("board").hidden = !isShown;
    byId("group").parentElement.hidden = !isShown;
    byId("login").hidden = isShown;
    setText(byId("clock"), "");
  };
  const showLogin = () => {
    disconnect();
    showBoard(false);
    setState("waiting", "a token is needed");
    byId("token").focus();
  };
  const signIn = async (token) => {
    const response = await fetch("/login", { method: "POST", body: token });
    if (!response.ok) return false;
    signedIn += 1;
    showBoard(true);
    begin();
    return true;
  };
  byId("login-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const isIn = await signIn(byId("token").value).catch(() => false);
    setText(byId("login-error"), isIn ? "" : "This is not the token of this monitor.");
    byId("token").value = "";
  });
  byId("logout").addEventListener("click", async () => {
    await fetch("/logout", { method: "POST" }).catch(() => null);
    byId("logout").hidden = true;
    showLogin();
  });

  // The stream of events.

  let source = null;
  let retry = 0;
  const setState = (name, text) => {
    byId("state").dataset.state = name;
    setText(byId("state-text"), text);
  };
  const disconnect = () => {
    clearTimeout(retry);
    source?.close();
    source = null;
  };
  const connect = () => {
    disconnect();
    const query = new URLSearchParams(state.group ? { group: state.group } : {});
    source = new EventSource(`/api/events?${query}`);
    source.addEventListener("figures", (event) => {
      const data = JSON.parse(event.data);
      setState("live", "live");
      showFigures(data.figures);
      addSeconds(data.seconds);
    });
    source.onerror = () => {
      setState("down", "out of reach, trying again");
      if (source?.readyState === EventSource.CLOSED) retry = setTimeout(begin, 3000);
    };
  };

  // Totals.

  const figure = (id, value, text) => {
    setText(byId(id), text);
    byId(id).dataset.value = String(value);
    byId(id).title = whole.format(value);
  };
  const showFigures = (figures) => {
    state.figures = figures;
    const rates = figures.rates;
    const big = (value) => (value < 1e7 ? whole.format(value) : short(value));
    figure("total-requests", figures.requests, big(figures.requests));
    setText(byId("rate-requests"), `${short(rates.now.requests)}/s now · ${short(rates["1m"].requests)}/s 1 min`);
    figure("total-bytes", figures.bytes, bytes(figures.bytes));
    setText(byId("rate-bytes"), `${bytes(rates.now.bytes)}/s now · ${bytes(rates["1m"].bytes)}/s 1 min`);
    figure("total-errors", figures.errors, big(figures.errors));
    setText(byId("rate-errors"), `${percent(figures.error_share)} · ${short(rates["1m"].errors)}/s 1 min`);
    byId("errors-tile").classList.toggle("hot", figures.classes["5xx"] > 0 && rates["1m"].errors > 0.05 * rates["1m"].requests);
    figure("total-online", figures.visits.online, big(figures.visits.online));
    const median = figures.visits.ended > 0 ? `, median ${duration(Math.round(figures.visits.seconds.p50))}` : "";
    setText(byId("visits"), `${short(figures.visits.ended)} visits ended${median}`);
    figure("total-lines", figures.lines, big(figures.lines));
    const odd = [[figures.unparsed, "unparsed"], [figures.lost, "lost"], [figures.ring?.missed ?? 0, "missed"]];
    setText(byId("lines-more"), odd.filter(([count]) => count > 0).map(([count, what]) => `${short(count)} ${what}`).join(" · ") || "all understood");
    const has = figures.latency_ms.count > 0;
    byId("latency-tile").hidden = !has;
    if (has) {
      const recent = figures.latency_recent_ms.count > 0 ? figures.latency_recent_ms : figures.latency_ms;
      figure("latency", recent.p50, latency(recent.p50));
      setText(byId("latency-more"), `median · p90 ${latency(recent.p90)} · p99 ${latency(recent.p99)}`);
    }
    setText(byId("clock"), figures.at ? `${day(Date.parse(figures.at) / 1000)} ${clock(figures.at)} UTC` : "");
    document.title = `${short(rates.now.requests)}/s · ringlog`;
    showClasses(figures);
    showAlerts(figures.alerts);
  };
  const showClasses = (figures) => {
    const names = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];
    const parts = names.map((name, place) => [name, place, figures.classes[name]]).filter(([, , count]) => count > 0);
    const bar = byId("classes");
    bar.replaceChildren(...parts.map(([name, place, count]) => {
      const share = count / Math.max(1, figures.requests);
      const part = make("span", `c${place}`, share > (innerWidth < 640 ? 0.2 : 0.07) ? `${name === "none" ? "no status" : name} ${percent(share)}` : "");
      part.style.flexGrow = String(count);
      part.style.flexBasis = "0";
      part.title = `${name}: ${whole.format(count)} (${percent(share)})`;
      return part;
    }));
    bar.setAttribute("aria-label", `Answers: ${parts.map(([name, , count]) => `${name} ${whole.format(count)}`).join(", ")}`);
  };
  const showAlerts = (alerts) => {
    const texts = alerts.map((alert) =>
      `Since ${clock(alert.at)}: ${alert.signal} of ${alert.server ?? "all servers"} unusually ${alert.change}, ${short(alert.rate)}/s; usual are ${short(alert.mean)}/s`);
    if (byId("alerts").dataset.texts === texts.join("\n")) return; // so that it is not read out again
    byId("alerts").dataset.texts = texts.join("\n");
    byId("alerts").replaceChildren(...texts.map((text) => make("p", "", text)));
  };

  // Plots.

  const plotted = [
    { title: "Requests per second", series: [["requests", "--line-requests"]], show: (value) => `${short(value)}/s` },
    { title: "Bytes per second", series: [["bytes", "--line-bytes"]], show: (value) => `${bytes(value)}/s` },
    { title: "Errors per second", series: [["errors", "--line-errors"]], show: (value) => `${short(value)}/s` },
    { title: "Latency", series: [["p50_ms", "--line-p50"], ["p90_ms", "--line-p90"], ["p99_ms", "--line-p99"]], show: latency },
  ];
  const columns = plotted.flatMap((plot) => plot.series.map(([name]) => name));
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400]
    .concat([2, 4, 7, 14, 28, 56, 182, 365, 730, 1825, 3650].map((number) => 86400 * number));
  const timeLabels = (_, splits, __, ___, step) => splits.map((at, place) => {
    const date = moment(at);
    if (step >= 86400) return day(at);
    const isNewDay = place > 0 && day(splits[place - 1]) !== day(at);
    return `${isNewDay ? `${day(at)}\n` : ""}${step < 60 ? date.slice(11, 19) : date.slice(11, 16)}`;
  });

  const width = (plot) => Math.max(200, plot.box.clientWidth - 20);
  const readOut = (plot, place) => {
    const [times, ...values] = plot.chart.data;
    const at = place ?? times.length - 1;
    plot.readout.replaceChildren();
    if (times.length === 0 || times[at] === undefined) return;
    const when = state.range === "all" ? `${day(times[at])} ${clock(moment(times[at]))}` : clock(moment(times[at]));
    if (place !== null && place !== undefined) plot.readout.append(`${when}  `);
    plot.series.forEach(([name, line], number) => {
      if (plot.series.length > 1) {
        const key = make("span", "key");
        key.style.background = colour(line);
        plot.readout.append(key, `${name.slice(0, 3)} `);
      }
      plot.readout.append(make("b", "", plot.show(values[number][at])));
    });
    plot.box.setAttribute("aria-label", `${plot.title}, now ${plot.readout.textContent}`);
  };
  const buildPlot = (plot) => {
    plot.chart?.destroy();
    const line = ([name, line]) => ({
      label: name, stroke: colour(line), width: 1.6, points: { size: 5 },
      fill: plot.series.length === 1 ? `${colour(line)}26` : undefined,
      spanGaps: true,
    });
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    plot.chart = new uPlot({
      width: width(plot), height: 190, legend: { show: false },
      padding: [8, 10, 0, 0],
      cursor: { sync: { key: "time" }, y: false, points: { size: 7 }, drag: { x: true, y: false } },
      scales: { x: { time: true }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.12 : 1] } },
      axes: [
        { ...axis, values: timeLabels, incrs: timeSteps, space: 72, size: 40, gap: 4 },
        { ...axis, size: 74, values: (_, splits) => splits.map((value) => (value === 0 ? "0" : plot.show(value))) },
      ],
      series: [{}, ...plot.series.map(line)],
      hooks: { setCursor: [(chart) => readOut(plot, chart.cursor.idx)] },
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
    }, plotData(plot), plot.body);
    readOut(plot, null);
  };
  const buildPlots = () => {
    for (const plot of plotted) {
      if (!plot.box) {
        plot.box = make("div", "plot");
        plot.box.setAttribute("role", "img");
        const head = make("div", "bar");
        plot.readout = make("span", "readout");
        plot.body = make("div");
        head.append(make("h3", "", plot.title), plot.readout);
        plot.box.append(head, plot.body);
        byId("plots").append(plot.box);
        new ResizeObserver(() => plot.chart?.setSize({ width: width(plot), height: 190 })).observe(plot.box);
      }
      buildPlot(plot);
    }
  };
  const plotData = (plot) => {
    const data = state.history;
    if (!data) return [[], ...plot.series.map(() => [])];
    const count = data.requests.length;
    const from = state.range === "all" ? 0 : Math.max(0, count - Number(state.range));
    const times = [];
    for (let place = from; place < count; place += 1) times.push(data.start + place * data.step);
    return [times, ...plot.series.map(([name]) => data[name].slice(from))];
  };
  const drawPlots = () => {
    const hasLatency = state.history?.p50_ms.some((value) => value !== null) ?? false;
    byId("plots").dataset.count = hasLatency ? "4" : "3";
    for (const plot of plotted) {
      if (plot.title === "Latency") plot.box.hidden = !hasLatency;
      if (plot.box.hidden) continue;
      plot.chart.setData(plotData(plot));
      readOut(plot, plot.chart.cursor.idx);
    }
  };
  const askHistory = async () => {
    const range = state.range === "all" ? "all" : "recent";
    const answer = await ask("history", "/api/history", { group: state.group, range });
    if (!answer?.requests) return;
    state.history = answer;
    state.historyLines = state.figures?.lines;
    drawPlots();
  };
  // The newest seconds; where they do not join on to what is there, all is asked for again.
  const addSeconds = (seconds) => {
    const data = state.history;
    if (state.range === "all") {
      state.age = (state.age ?? 0) + 1;
      const isNew = state.figures.lines !== state.historyLines || !state.isLog;
      if (!data || (isNew && state.age % 4 === 0)) askHistory();
      return;
    }
    const count = seconds.requests.length;
    if (count === 0) return;
    const place = data ? (seconds.start - data.start) / data.step : -1;
    if (!data || data.requests.length === 0 || place < 0 || place > data.requests.length) {
      askHistory();
      return;
    }
    for (const name of columns) {
      data[name].splice(place, data[name].length - place, ...seconds[name]);
      const extra = data[name].length - 900;
      if (extra > 0) data[name].splice(0, extra);
      if (extra > 0 && name === columns[columns.length - 1]) data.start += extra;
    }
    drawPlots();
  };
  for (const button of document.querySelectorAll("[data-range]")) {
    button.addEventListener("click", () => chooseRange(button.dataset.range));
  }
  const chooseRange = (range) => {
    const wasAll = state.range === "all";
    state.range = range;
    for (const button of document.querySelectorAll("[data-range]")) {
      button.setAttribute("aria-pressed", String(button.dataset.range === range));
    }
    if (wasAll || range === "all") {
      state.history = null;
      askHistory();
    } else {
      drawPlots();
    }
  };

  // Tables.

  const text = (value) => String(value ?? "");
  const count = (value) => (value === null ? "–" : whole.format(value));
  const kinds = {
    requests: count, errors: count, unparsed: count, lost: count, visitors: count,
    error: (value) => (value === 0 ? "" : `≤ ${count(value)}`), code: text,
    bytes, size_p50: bytes, share: percent, error_share: percent,
    error_relative: (value) => (value === null ? "–" : `${value.toFixed(2)}×`),
    rate: (value) => `${short(value)}/s`, mean: (value) => `${short(value)}/s`, p50_ms: latency, p99_ms: latency, here_s: duration, idle_s: duration,
    at: (value) => `${value.slice(0, 10)} ${clock(value)}`,
  };
  const titles = {
    error_share: "error rate", error_relative: "against all", size_p50: "median size", p50_ms: "p50", p99_ms: "p99",
    here_s: "here for", idle_s: "idle", mean: "usual", error: "too high by",
  };
  const tables = new Map([
    ["servers", { title: "Servers", main: "server", titles: { rate: "1 min" } }], ["codes", { title: "Codes" }], ["pages", { title: "Pages", main: "key", titles: { key: "page" } }],
    ["clients", { title: "Clients", main: "key", titles: { key: "client" } }], ["referrers", { title: "Referrers", main: "key", titles: { key: "referrer" } }],
    ["agents", { title: "Agents", main: "key", titles: { key: "user agent" } }], ["online", { title: "Who is online", main: "page", hidden: "id" }],
    ["places", { title: "Where they are", main: "page" }], ["alerts", { title: "Alerts", main: "server" }],
    ["unparsed", { title: "Unparsed", main: "text" }],
  ]);
  const titleOf = (name) => tables.get(state.table).titles?.[name] ?? titles[name] ?? name;

  const buildTabs = () => {
    for (const [name, table] of tables) {
      const tab = make("button", "", table.title);
      tab.type = "button";
      tab.id = `tab-${name}`;
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", "panel");
      tab.addEventListener("click", () => chooseTable(name));
      byId("tabs").append(tab);
    }
    byId("tabs").addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const names = [...tables.keys()];
      const next = names[(names.indexOf(state.table) + step + names.length) % names.length];
      chooseTable(next);
      byId(`tab-${next}`).focus();
    });
  };
  const chooseTable = (name) => {
    state.table = name;
    for (const other of tables.keys()) {
      byId(`tab-${other}`).setAttribute("aria-selected", String(other === name));
      byId(`tab-${other}`).tabIndex = other === name ? 0 : -1;
    }
    byId("field").replaceChildren();
    byId("text").value = "";
    byId("rows").replaceChildren();
    byId("heads").replaceChildren();
    writeAddress();
    askTable();
  };
  const askTable = async () => {
    const name = state.table;
    const sort = state.sort[name] ?? {};
    const answer = await ask("table", "/api/table", {
      group: state.group, name, limit: byId("limit").value, field: byId("field").value,
      text: byId("text").value.trim(), sort: sort.field ?? "", order: sort.order ?? "",
    });
    if (answer?.fields && name === state.table) showTable(answer);
  };
  const showTable = (answer) => {
    const table = tables.get(state.table);
    const isHidden = (name) => name === table.hidden || (name === "error" && answer.exact);
    const fields = answer.fields.filter(({ name }) => !isHidden(name));
    if (byId("heads").querySelectorAll("th").length !== fields.length) buildHeads(fields);
    const sort = state.sort[state.table] ?? {};
    for (const head of byId("heads").querySelectorAll("th")) {
      const isSorted = head.dataset.field === sort.field;
      head.setAttribute("aria-sort", isSorted ? (sort.order === "asc" ? "ascending" : "descending") : "none");
    }
    const body = byId("rows");
    while (body.rows.length > answer.rows.length) body.deleteRow(-1);
    answer.rows.forEach((row, number) => showRow(body.rows[number] ?? body.insertRow(), row, fields, table));
    byId("nothing").hidden = answer.rows.length > 0;
    setText(byId("nothing"), byId("text").value ? "Nothing fits the filter." : "Nothing yet.");
    const exactness = answer.exact ? "" : state.table === "servers" ? " · further servers are together in (others)" : " · more keys than counters: rarer ones are estimates";
    const fitting = byId("text").value ? `${whole.format(answer.matching)} fit, of ${whole.format(answer.known)}` : `${whole.format(answer.known)} in all`;
    setText(byId("table-note"), `${fitting}${answer.rows.length < answer.matching ? `, ${whole.format(answer.rows.length)} shown` : ""}${exactness}`);
  };
  const buildHeads = (fields) => {
    const row = make("tr");
    for (const { name, kind } of fields) {
      const head = make("th", kind === "text" ? "text" : "");
      head.dataset.field = name;
      head.scope = "col";
      const button = make("button", "", titleOf(name));
      button.type = "button";
      button.addEventListener("click", () => sortBy(name, kind));
      head.append(button);
      row.append(head);
    }
    byId("heads").replaceChildren(row);
    const chosen = byId("field").value;
    const any = new Option("anything", "");
    byId("field").replaceChildren(any, ...fields.map(({ name }) => new Option(titleOf(name), name)));
    byId("field").value = chosen;
    placeholder();
  };
  const sortBy = (field, kind) => {
    const before = state.sort[state.table];
    const first = kind === "text" ? "asc" : "desc";
    const other = first === "asc" ? "desc" : "asc";
    const isAgain = before?.field === field && before.order === first;
    state.sort[state.table] = { field, order: isAgain ? other : first };
    askTable();
  };
  const showRow = (row, values, fields, table) => {
    fields.forEach(({ name, kind }, place) => {
      const cell = row.cells[place] ?? row.insertCell();
      const value = values[name];
      const shown = (kinds[name] ?? text)(value);
      const isMain = name === table.main;
      const className = [kind === "text" ? "text" : "", isMain ? "main" : "", name === "share" ? "share" : "", toneOf(name, value)].filter(Boolean).join(" ");
      if (cell.className !== className) cell.className = className;
      if (name === "share") cell.style.setProperty("--share", `${100 * value}%`);
      if (state.table === "online" && name === "client") return showVisitor(cell, values);
      if (kind === "text") cell.title = shown;
      setText(cell, shown);
    });
  };
  const toneOf = (name, value) => {
    if (name === "code") return value >= 500 ? "bad" : value >= 400 ? "warn" : "";
    if (name === "error_relative") return value > 2 ? "bad" : value > 1.3 ? "warn" : "";
    return "";
  };
  const showVisitor = (cell, values) => {
    let button = cell.firstElementChild;
    if (!button) {
      button = make("button", "link");
      button.type = "button";
      button.addEventListener("click", () => openVisit(button.dataset.id, button.textContent));
      cell.replaceChildren(button);
    }
    setText(button, values.client);
    button.dataset.id = values.id;
    button.title = "Which pages this visitor saw";
  };
  const placeholder = () => {
    const field = byId("field").selectedOptions[0];
    const head = byId("heads").querySelector(`th[data-field="${field?.value}"]`);
    byId("text").placeholder = head && !head.classList.contains("text") ? "Filter: text, or >100, <=5, =200" : "Filter";
  };
  const later = (wait, action) => {
    let timer = 0;
    return () => {
      clearTimeout(timer);
      timer = setTimeout(action, wait);
    };
  };
  byId("filter").addEventListener("submit", (event) => event.preventDefault());
  byId("text").addEventListener("input", later(180, () => askTable()));
  byId("field").addEventListener("change", () => {
    placeholder();
    askTable();
  });
  byId("limit").addEventListener("change", () => askTable());

  // The way of one visitor.

  const openVisit = async (id, client) => {
    const answer = await ask("clicks", "/api/clicks", { group: state.group, id });
    if (!answer) return;
    setText(byId("visit-title"), `Visit of ${client}`);
    const clicks = answer.clicks ?? [];
    const servers = new Set(clicks.map(({ server }) => server)).size;
    const cut = answer.earlier > 0 ? ` · ${whole.format(answer.earlier)} earlier ones are not kept` : "";
    setText(byId("visit-note"), answer.error ? "This visitor is not online any more." : `${whole.format(clicks.length)} requests on ${servers} ${servers === 1 ? "server" : "servers"}${cut}`);
    byId("trail").replaceChildren(...clicks.map((click, place) => {
      const item = make("li", place > 0 && clicks[place - 1].server !== click.server ? "moved" : "");
      item.append(
        make("time", "", clock(click.at)), make("span", `s${Math.floor((click.status ?? 0) / 100)}`, text(click.status)),
        make("span", "server", click.server), make("span", "page", click.page));
      return item;
    }));
    if (!byId("visit").open) byId("visit").showModal();
  };

  // The tail.

  const tailLines = 300;
  let tailSeq = 0;
  const clearTail = () => {
    tailSeq = 0;
    byId("tail").replaceChildren();
  };
  const askTail = async () => {
    if (state.paused) return;
    const filter = byId("tail-text").value.trim();
    const answer = await ask("tail", "/api/tail", {
      group: state.group, limit: tailLines, field: filter ? byId("tail-field").value : "", text: filter, after: tailSeq,
    });
    if (!answer?.lines || state.paused) return;
    if (answer.last_seq < tailSeq) return newTail(); // the monitor was started again, and counts from 1
    const list = byId("tail");
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    for (const line of answer.lines) {
      const item = make("li");
      item.append(
        make("span", `s${Math.floor((line.status ?? 0) / 100)}`, text(line.status ?? "···")), make("span", "server", line.server),
        make("span", "line", line.cut ? `${line.text} …` : line.text));
      item.children[1].title = line.server;
      list.append(item);
    }
    while (list.childElementCount > tailLines) list.firstElementChild.remove();
    const skipped = tailSeq > 0 && answer.first_seq > tailSeq + 1 ? answer.first_seq - tailSeq - 1 : 0;
    tailSeq = answer.last_seq;
    if (isAtEnd) list.scrollTop = list.scrollHeight;
    setText(byId("tail-note"), `${whole.format(list.childElementCount)} lines shown${filter ? ` that fit` : ""}${skipped > 0 ? ` · ${whole.format(skipped)} went by too fast` : ""}`);
  };
  byId("pause").addEventListener("click", () => {
    state.paused = !state.paused;
    byId("pause").setAttribute("aria-pressed", String(state.paused));
    setText(byId("pause"), state.paused ? "Go on" : "Pause");
    if (state.paused) setText(byId("tail-note"), "Stands still");
    askTail();
  });
  const newTail = () => {
    clearTail();
    askTail();
  };
  byId("tail-text").addEventListener("input", later(180, newTail));
  byId("tail-field").addEventListener("change", newTail);

  // Colours: as the system has them, or as chosen here.

  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => {
    try {
      return localStorage.getItem("ringlog-theme");
    } catch {
      return null; // a browser that keeps nothing
    }
  };
  const applyTheme = () => {
    const chosen = stored();
    const isDark = chosen ? chosen === "dark" : systemDark.matches;
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    setText(byId("theme"), isDark ? "☀ Light" : "☾ Dark");
    byId("theme").setAttribute("aria-label", isDark ? "Light colours" : "Dark colours");
    if (plotted[0].chart) plotted.forEach(buildPlot);
  };
  byId("theme").addEventListener("click", () => {
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("ringlog-theme", next);
    } catch {
      document.documentElement.dataset.theme = next;
    }
    applyTheme();
  });
  systemDark.addEventListener("change", applyTheme);

  // Beginning, and again after the network or the page was away.

  const chooseGroup = () => {
    state.history = null;
    clearTail();
    byId("rows").replaceChildren();
    writeAddress();
    connect();
    askHistory();
    askTable();
    askTail();
  };
  byId("group").addEventListener("change", () => {
    state.group = byId("group").value;
    chooseGroup();
  });
  let begun = false;
  const begin = async () => {
    clearTimeout(retry);
    const answer = await ask("groups", "/api/groups", {});
    if (!answer) {
      if (!byId("login").hidden) return;
      setState("down", "out of reach, trying again");
      retry = setTimeout(begin, 3000);
      return;
    }
    const names = answer.groups.map(({ name }) => name);
    if (!names.includes(state.group)) state.group = "";
    const all = new Option("all together", "");
    byId("group").replaceChildren(...(names.length === 1 ? [] : [all]), ...names.map((name) => new Option(name, names.length === 1 ? "" : name)));
    byId("group").value = state.group;
    state.isLog = answer.time === "log";
    byId("logout").hidden = !answer.token;
    setText(byId("source"), state.isLog ? "time of the log:" : "");
    if (!begun && state.isLog) chooseRange("all");
    begun = true;
    chooseGroup();
  };
  document.addEventListener("visibilitychange", () => {
    if (!byId("login").hidden) return;
    if (document.hidden) disconnect();
    else begin();
  });
  setInterval(() => {
    if (document.hidden || !byId("login").hidden || !source) return;
    askTable();
    askTail();
  }, 1500);

  applyTheme();
  const token = readAddress();
  buildTabs();
  buildPlots();
  chooseTable(state.table);
  if (token) signIn(token).then((isIn) => (isIn ? null : showLogin()));
  else begin();
})();
