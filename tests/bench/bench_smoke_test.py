"""Runs workloads of skua-bench for a moment on the real daemon, and reads what it writes: text, JSON, HTML."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

PROGRAM = sys.argv.pop(1)
XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
YCSB = ["ycsb-" + letter for letter in "abcdef"]
WITH_ROLES = {
    "mixed": {"mixed": {"read": 4, "write": 1, "scan": 1}, "alone": {}},
    "many-idle": {"among idle": {"read": 4}, "alone": {"read": 4}},
    "slow-consumers": {"among slow": {"read": 1, "write": 1, "slow stream": 4}, "without": {"read": 1, "write": 1}},
}


def run(folder, workloads, *options):
    command = [PROGRAM, *workloads, "--clients", "4", "--records", "2000", "--peers", "processes on one file"]
    command += ["--rounds", "1", "--seconds", "0.1", "--directory", folder, *options]
    # Of another build, with a sanitizer.
    if "SKUA_TEST_PROGRAMS" in os.environ:
        command += ["--skuad", os.path.join(os.environ["SKUA_TEST_PROGRAMS"], "skuad")]
    return subprocess.run(command, capture_output=True, text=True, timeout=400)


class BenchSmokeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            files = pathlib.Path(folder)
            workloads = ["update", *WITH_ROLES, *YCSB]
            cls.ended = run(folder, workloads, "--json", files / "report.json", "--html", files / "report.html")
            if cls.ended.returncode != 0:
                raise AssertionError(cls.ended.stdout + cls.ended.stderr)
            cls.report = json.loads((files / "report.json").read_text())
            cls.html = (files / "report.html").read_text()
        cls.contests = {contest["name"]: contest for contest in cls.report["contests"]}

    def skua_in(self, workload):
        contestant = self.contests[workload]["contestants"][0]
        self.assertEqual(contestant["name"], "skua")
        return contestant

    def test_everybody_does_something_and_nothing_of_skua_fails(self):
        self.assertEqual(set(self.contests), {"update", *WITH_ROLES, *YCSB})
        for name in self.contests:
            for scene in self.skua_in(name)["scenes"]:
                for role in scene["roles"]:
                    self.assertGreater(role["operations"], 0, f"{name}: {scene['scene']}: {role['role']}")
                    self.assertEqual(role["errors"] + role["busy"], 0, name)
                    shares = [share for share, _ in role["latency_distribution"]]
                    self.assertEqual(shares, sorted(shares))

    def test_roles_have_the_clients_that_they_must_have(self):
        for name, expected in WITH_ROLES.items():
            scenes = {scene["scene"]: scene for scene in self.skua_in(name)["scenes"]}
            for scene, roles in expected.items():
                for role, clients in roles.items():
                    found = [r for r in scenes[scene]["roles"] if r["role"] == role]
                    self.assertEqual([r["clients"] for r in found], [clients], f"{name}: {scene}: {role}")

    def test_goals_and_figures_are_told(self):
        goals = self.skua_in("mixed")["goals"]
        self.assertEqual([(goal["role"], goal["most"]) for goal in goals], [("read", 3), ("write", 2)])
        figures = {figure["name"]: figure for scene in self.skua_in("many-idle")["scenes"] for figure in scene["figures"]}
        self.assertEqual(figures["idle sessions"]["rounds"], [16])
        self.assertEqual(figures["resident memory of an idle session"]["most"], 64)
        for text in ("read p99, mixed / alone", "the write-ahead log's file", "skua / processes on one file"):
            self.assertIn(text, self.ended.stdout)

    def test_the_html_is_well_formed_and_has_all_workloads(self):
        page = xml.etree.ElementTree.fromstring(self.html)
        sections = {section.get("id"): section for section in page.iter(XHTML + "section")}
        self.assertEqual(set(sections), set(self.contests))
        for name, section in sections.items():
            self.assertIsNotNone(section.find(f".//{XHTML}table"), name)
            figures = list(section.iter(XHTML + "figure"))
            self.assertTrue(figures, name)
            for figure in figures:
                self.assertIsNotNone(figure.find(SVG + "svg"), name)
                self.assertTrue("".join(figure.find(XHTML + "figcaption").itertext()).strip(), name)
        for element in page.iter():
            self.assertNotIn("src", element.attrib)
            self.assertTrue(element.get("href", "#").startswith("#"))

    def test_a_workload_that_does_not_exist_is_a_usage_error(self):
        with tempfile.TemporaryDirectory() as folder:
            ended = run(folder, ["ycsb-g"])
        self.assertEqual(ended.returncode, 2)
        self.assertIn('there is no workload "ycsb-g"', ended.stderr)


if __name__ == "__main__":
    unittest.main()
