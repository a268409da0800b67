#!/usr/bin/python3
"""What /metrics of a real controller says, and that docs/metrics.md says the same.

  SLIPWAY_REWRITE_GOLDEN=1 tests/foreign/metrics_test.py      writes the page's table anew
"""

import json
import os
import re
import shutil
import subprocess
import unittest
import urllib.error
import urllib.request

from api_test_case import HOSTS, ApiTestCase  # makes the stubs
from small_fleet import BUILD, PATIENCE, SOURCE, run, wait_until
from slipway.v1 import fleet_pb2

PAGE = SOURCE / "docs/metrics.md"
ALERTS = SOURCE / "deploy/prometheus/slipway-alerts.yaml"
OURS = re.compile(r"^(slipway|process)_")
SAMPLE = re.compile(r"^([a-z_]+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? ([-+.\w]+)$")
LABEL = re.compile(r'(\w+)="([^"]*)"')
BEGIN, END = "<!-- written by tests/foreign/metrics_test.py -->\n", "<!-- end -->\n"


class Exposition:
    """The text that is exposed, taken apart."""

    def __init__(self, text):
        self.text = text
        self.help, self.types, self.labels, self.samples = {}, {}, {}, {}
        for line in text.splitlines():
            if line.startswith("# "):
                _, what, name, rest = line.split(" ", 3)
                (self.help if what == "HELP" else self.types)[name] = rest
                continue
            name, labels, value = SAMPLE.match(line).groups()
            pairs = LABEL.findall(labels or "")
            # "_count" and the like belong to a histogram only; others may end so by themselves.
            family = name if name in self.types else line.split("{")[0].split(" ")[0]
            self.labels.setdefault(family, set()).update(key for key, _ in pairs if key != "le")
            full = line.rsplit(" ", 1)[0]
            self.samples[full] = float(value)

    def families(self):
        return sorted(name for name in self.types if OURS.match(name))

    def rows(self):
        """Lines of the page's table."""
        return [f"| `{n}` | {self.types[n]} | {', '.join(sorted(self.labels.get(n, ())))} | {self.help[n]} |"
                for n in self.families()]


class MetricsTest(ApiTestCase):
    def scrape(self):
        with urllib.request.urlopen(f"http://{self.fleet.metrics}/metrics", timeout=PATIENCE) as answer:
            return Exposition(answer.read().decode())

    def await_sample(self, name, value):
        wait_until(f"{name} to be {value}", lambda: self.scrape().samples.get(name) == value, PATIENCE,
                   self.fleet.root / "controller.log")

    def roll_out(self, name):
        self.push(name, note="nothing\n")
        rollout = self.client.start(self.plan(name), f"{name}@1.0.0")
        *_, last = self.client.watch(rollout.id)
        return last.rollout

    def test_FiguresFollowARollout(self):
        before = self.scrape().samples
        rollout = self.roll_out("counted")
        after = self.scrape().samples

        def grown(name):
            return after[name] - before.get(name, 0)

        self.assertEqual(grown("slipway_rollouts_started_total"), 1)
        self.assertEqual(grown('slipway_rollouts_finished_total{result="succeeded"}'), 1)
        for action in ("stage", "switch"):
            of = f'action="{action}"'
            self.assertEqual(grown(f'slipway_tasks_total{{{of},outcome="succeeded",way="forward"}}'), len(HOSTS))
            self.assertEqual(grown(f'slipway_task_duration_seconds_count{{{of},way="forward"}}'), len(HOSTS))
        self.assertEqual(grown("slipway_journal_records_total"), rollout.sequence)
        self.assertGreater(grown("slipway_journal_append_duration_seconds_sum"), 0)
        self.assertEqual(after["slipway_storage_degraded"], 0)
        self.assertGreater(after["slipway_store_bytes"], 0)
        self.assertGreater(after['slipway_certificate_expiry_timestamp_seconds{certificate="controller"}'],
                           after["process_start_time_seconds"])
        self.await_sample('slipway_rollouts_open{state="running"}', 0)

    def test_LostAndReturnedAgentsAreCounted(self):
        self.assertEqual(self.scrape().samples['slipway_hosts{state="connected"}'], len(HOSTS))
        agent = next(p for p in self.fleet.processes if p.name == HOSTS[-1])
        lost = self.scrape().samples["slipway_agent_sessions_lost_total"]
        again = self.scrape().samples["slipway_agent_sessions_reattached_total"]
        agent.kill()
        self.await_sample('slipway_hosts{state="silent"}', 1)
        self.await_sample("slipway_agent_sessions_lost_total", lost + 1)
        self.fleet.run_agent(agent.name)
        self.await_sample('slipway_hosts{state="connected"}', len(HOSTS))
        self.await_sample("slipway_agent_sessions_reattached_total", again + 1)

    def test_AgentsFiguresComeThroughTheController(self):
        wait_until("a report of the agents' own", lambda: self.scrape().samples[
            "slipway_agents_resident_memory_max_bytes"] > 0, PATIENCE)
        samples = self.scrape().samples
        self.assertLess(samples["slipway_agents_resident_memory_max_bytes"], 64e6)
        self.assertGreater(samples["slipway_agents_command_log_max_bytes"], 0)

    def test_NothingNamesAHostOrARollout(self):
        rollout = self.roll_out("unnamed")
        exposed = self.scrape()
        for word in (*HOSTS, rollout.id, "unnamed", "alice", str(self.fleet.root)):
            self.assertNotIn(word, exposed.text)
        self.assertLess(len(exposed.samples), 400, "as many series as there are words, however large the fleet")

    def test_PromtoolHasNothingToSay(self):
        self.roll_out("linted")
        ours = "".join(f"{line}\n" for line in self.scrape().text.splitlines()
                       if OURS.match(line.removeprefix("# HELP ").removeprefix("# TYPE ")))
        done = subprocess.run(["promtool", "check", "metrics"], input=ours, text=True, capture_output=True,
                              timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_PageNamesWhatIsExposed(self):
        self.roll_out("documented")
        wait_until("a report of the hosts", lambda: self.scrape().samples[
            "slipway_agents_resident_memory_max_bytes"] > 0, PATIENCE)
        table = "".join(f"{row}\n" for row in
                        ["| name | type | labels | |", "|---|---|---|---|", *self.scrape().rows()])
        text = PAGE.read_text()
        start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
        if os.environ.get("SLIPWAY_REWRITE_GOLDEN") and not os.environ.get("CI"):
            PAGE.write_text(text[:start] + table + text[end:])
            return
        self.maxDiff = None
        self.assertEqual(text[start:end], table)

    def test_ExampleAlertsAreOfWhatIsExposed(self):
        self.assertEqual(subprocess.run(["promtool", "check", "rules", ALERTS], capture_output=True,
                                        timeout=PATIENCE).returncode, 0)
        self.roll_out("alerted")
        exposed = self.scrape()
        known = set(exposed.types) | {f"{n}_{suffix}" for n, kind in exposed.types.items() if kind == "histogram"
                                      for suffix in ("bucket", "sum", "count")}
        used = set(re.findall(r"\b(?:slipway|process)_\w+", ALERTS.read_text()))
        self.assertTrue(used)
        self.assertEqual(used - known, set())

    def test_ListensWhereItIsTold(self):
        self.assertTrue(self.fleet.metrics.startswith("127.0.0.1:"))
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://{self.fleet.metrics}/", timeout=PATIENCE)
        self.assertEqual(refused.exception.code, 404)
        self.assertEqual(self.second_controller("--listen-metrics", "off"), "")
        # A port in use costs the figures and not the controller.
        self.assertEqual(self.second_controller("--listen-metrics", self.fleet.metrics), "")

    def second_controller(self, *flags):
        """What a controller beside the fleet's says of its metrics."""
        folder = self.fleet.root / "second"
        ports = [word for name in ("operators", "agents", "enrolment") for word in (f"--listen-{name}", "127.0.0.1:0")]
        run([BUILD / "bin/slipway-controller", "init", "--dir", folder, "--name", "localhost", *ports], self.fleet.log)
        controller = self.fleet.start("second", "slipway-controller", "run", "--dir", folder, *flags)
        endpoints = folder / "endpoints.json"
        wait_until("it to listen", endpoints.exists, PATIENCE, controller.log)
        found = json.loads(endpoints.read_text())["metrics"]
        controller.stop()
        shutil.rmtree(folder)
        return found


if __name__ == "__main__":
    unittest.main(verbosity=2)
