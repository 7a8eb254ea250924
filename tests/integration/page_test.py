# SPDX-License-Identifier: Apache-2.0
"""The monitor's page in a real browser: the totals it shows, its filters, and hostile lines."""

import subprocess

from browser import Browser
from harness import expect, expect_equal, run
from http_client import TOKEN, Served
from monitor_test import SAMPLE, counted_by_awk, sample_lines

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"

VALUE = "return Number(document.getElementById(arguments[0]).dataset.value)"
ROWS = "return [...document.querySelectorAll('#rows tr')].map((row) => [...row.cells].map((cell) => cell.textContent))"
TYPE = ("const input = document.getElementById(arguments[0]); input.value = arguments[1];"
        "input.dispatchEvent(new Event(input.tagName === 'SELECT' ? 'change' : 'input', {bubbles: true}))")
TAIL_ENDS_WITH = "return document.querySelector('#tail li:last-child .line')?.textContent === arguments[0]"
TABLES_ASKED = "return performance.getEntriesByType('resource').filter((one) => one.name.includes('/api/table')).length"
# The token is sent when something was refused, and the page is told of that when it is live already.
LATE_REFUSALS = """const real = window.fetch;
const live = () => document.getElementById('state')?.dataset.state === 'live';
let refused = false;
window.fetch = async (...words) => {
  while (words[0] === '/login' && !refused) await new Promise(requestAnimationFrame);
  const answer = await real(...words);
  if (answer.status === 401) {
    refused = true;
    while (!live()) await new Promise(requestAnimationFrame);
    setTimeout(() => { window.wasLate = true; });
  }
  return answer;
};"""
CLICK = "document.querySelector(arguments[0]).click()"


def wait_totals(browser, wanted):
    ids = [f"total-{name}" for name in ("requests", "bytes", "errors")]
    numbers = [wanted[name] for name in ("requests", "bytes", "errors")]
    browser.wait("the totals are those of awk",
                 "return arguments[0].every((id, place) => document.getElementById(id).dataset.value ==="
                 " String(arguments[1][place]))", ids, numbers)


def wait_plots(browser):
    browser.wait("plots have their lines", "return [...document.querySelectorAll('.plot:not([hidden]) .readout b')].length > 0")


def expect_quiet(browser):
    expect_equal(browser.messages(), [], "complaints of the browser")


def test_the_totals_shown_equal_an_awk_count():
    wanted = counted_by_awk(SAMPLE)
    with Served("--file", SAMPLE) as served, Browser() as browser:
        browser.open(served.url())
        wait_totals(browser, wanted)
        wait_plots(browser)
        browser.wait("the first page of the table", "return document.querySelector('#rows tr')?.textContent.includes('807')")
        browser.wait("the tail", "return document.querySelectorAll('#tail li').length === 300")
        last = browser.run("return document.querySelector('#tail li:last-child .line').textContent")
        expect_equal(last, sample_lines()[-1], "the last line of the tail")
        browser.keep_screenshot("desktop-light")
        expect_quiet(browser)
        hosts = browser.run("return performance.getEntriesByType('resource').map((entry) => new URL(entry.name).host)")
        expect_equal(set(hosts), {f"127.0.0.1:{served.port}"}, "hosts that the page asks")


def test_tables_are_filtered_and_sorted_by_hand():
    with Served("--file", SAMPLE) as served, Browser() as browser:
        browser.open(served.url() + "#table=codes")
        browser.wait("the table of codes", "return document.querySelectorAll('#rows tr').length > 3")
        browser.run(TYPE, "field", "code")
        browser.run(TYPE, "text", ">=500")
        browser.wait("codes from 500 on", "return document.querySelectorAll('#rows tr').length === 1")
        expect_equal(browser.run(ROWS)[0][0], "500", "the code")
        browser.run(TYPE, "text", "")
        browser.run(CLICK, "th[data-field=code] button")
        browser.wait("codes downwards", "return document.querySelector('#rows td')?.textContent === '500'")
        browser.run(CLICK, "#tab-online")
        browser.wait("who is online", "return document.querySelectorAll('#rows .link').length > 3")
        browser.run(CLICK, "#rows .link")
        browser.wait("the way of a visitor", "return document.getElementById('visit').open && document.querySelector('#trail li')")
        browser.keep_screenshot("visit")
        browser.run(TYPE, "tail-text", "404")
        browser.run(TYPE, "tail-field", "status")
        browser.wait("lines with 404 only", "const found = [...document.querySelectorAll('#tail li')];"
                     "return found.length > 0 && found.every((line) => line.firstChild.textContent === '404')")
        expect_quiet(browser)


def test_the_page_is_live_dark_and_fits_a_phone():
    with Served("--file", "-", stdin=subprocess.PIPE) as served, Browser(size=(390, 844), dark=True) as browser:
        browser.open(served.url())
        browser.wait("it is live", "return document.getElementById('state').dataset.state === 'live'")
        expect_equal(browser.run("return document.documentElement.dataset.theme"), "dark", "the colours of the system")
        text = sample_lines()
        for count in (1000, 3000):
            served.write(text[:count] if count == 1000 else text[1000:3000])
            browser.wait(f"{count} lines", "return document.getElementById('total-lines').dataset.value === arguments[0]",
                         str(count))
        wait_plots(browser)
        expect_equal(browser.run("return document.documentElement.scrollWidth"), 390, "width of the page")
        browser.keep_screenshot("phone-dark")
        browser.wait("the tail has the last line", TAIL_ENDS_WITH, text[2999])
        browser.run(CLICK, "#pause")
        served.write(text[3000:3100])
        browser.wait("the totals go on", "return document.getElementById('total-lines').dataset.value === '3100'")
        asked = browser.run(TABLES_ASKED)  # at the time at which the tail would be
        browser.wait("the table goes on", f"{TABLES_ASKED} > arguments[0]", asked)
        expect(browser.run(TAIL_ENDS_WITH, text[2999]), "the tail stands still")
        browser.run(CLICK, "#pause")
        browser.wait("the tail goes on", TAIL_ENDS_WITH, text[3099])
        browser.run(CLICK, "#theme")
        expect_equal(browser.run("return document.documentElement.dataset.theme"), "light", "the colours chosen")
        expect_quiet(browser)


def test_the_page_goes_on_with_a_monitor_that_was_started_again():
    text = sample_lines()
    with Browser() as browser:
        with Served("--file", "-", stdin=subprocess.PIPE) as served:
            served.write(text[:500])
            browser.open(served.url())
            browser.wait("the tail has the last line", TAIL_ENDS_WITH, text[499])
        browser.wait("it says that it is out of reach", "return document.getElementById('state').dataset.state === 'down'")
        with Served("--file", "-", "--listen", str(served.port), stdin=subprocess.PIPE) as again:
            again.write(text[500:520])
            browser.wait("the totals are the new ones", VALUE + " === 20", "total-lines")
            browser.wait("the tail is the new one", "return document.querySelectorAll('#tail li').length === 20")
            expect(browser.run(TAIL_ENDS_WITH, text[519]), "the last line")


def test_hostile_lines_are_text():
    line = f'192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET /{HOSTILE} HTTP/1.1" 200 10 "{HOSTILE}" "{HOSTILE}"'
    line = line.replace('onerror="', 'onerror=\\"').replace("'owned'\">", "'owned'\\\">")
    with Served("--file", "-", stdin=subprocess.PIPE) as served, Browser() as browser:
        served.write([line, HOSTILE, "\x1b]0;owned\x07"])
        browser.open(served.url() + "#table=agents")
        browser.wait("it is shown", "return document.getElementById('total-lines').dataset.value === '3'")
        for table in ("agents", "unparsed", "online", "pages"):
            browser.run(CLICK, f"#tab-{table}")
            browser.wait(f"it is in {table}", "return document.getElementById('rows').textContent.includes('<script>') ||"
                         " document.querySelector('#rows .link')")
        browser.wait("it is in the tail", "return document.querySelectorAll('#tail li').length === 3")
        browser.run(CLICK, "#tab-online")
        browser.wait("who is online", "return document.querySelector('#rows .link')")
        browser.run(CLICK, "#rows .link")
        browser.wait("its way", "return document.querySelector('#trail .page')?.textContent.includes('<script>')")
        expect_equal(browser.run("return document.querySelectorAll('script').length"), 2, "scripts of the page")
        expect_equal(browser.run("return document.querySelectorAll('img').length"), 0, "images of the page")
        expect("owned" not in browser.run("return document.title"), "the title is ours")
        expect_quiet(browser)


def test_a_token_is_asked_for_and_ends():
    with Served("--file", SAMPLE, "--token", TOKEN) as served, Browser() as browser:
        browser.open(served.url())
        browser.wait("it asks for a token", "return !document.getElementById('login').hidden")
        send = "document.getElementById('token').value = arguments[0]; document.querySelector('#login-form button').click()"
        browser.run(send, "not the token, not at all")
        browser.wait("it says no", "return document.getElementById('login-error').textContent !== ''")
        browser.keep_screenshot("login")
        browser.run(send, TOKEN)
        wait_totals(browser, counted_by_awk(SAMPLE))
        browser.open("about:blank")
        browser.open(served.url())
        browser.wait("it can be left after the page was opened again", "return !document.getElementById('logout').hidden")
        browser.run(CLICK, "#logout")
        browser.wait("it asks again", "return !document.getElementById('login').hidden")
        browser.open("about:blank")
        browser.open(f"{served.url()}#token={TOKEN}")
        wait_totals(browser, counted_by_awk(SAMPLE))
        expect(TOKEN not in browser.run("return location.href"), "the token is not left in the address")


def test_a_refusal_from_before_the_token_was_sent_signs_nobody_out():
    with Served("--file", SAMPLE, "--token", TOKEN) as served, Browser() as browser:
        browser.control("Page.addScriptToEvaluateOnNewDocument", source=LATE_REFUSALS)
        browser.open(f"{served.url()}#token={TOKEN}")
        browser.wait("a refusal came late", "return window.wasLate")
        expect(browser.run("return document.getElementById('login').hidden"), "no token is asked for")
        wait_totals(browser, counted_by_awk(SAMPLE))
        expect(browser.run("return !document.getElementById('board').hidden"), "the figures are shown")


if __name__ == "__main__":
    run(globals())
