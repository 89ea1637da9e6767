"""What .spi.yml says is what the Swift Package Index reads, and what its machines can build."""

import pathlib
import re
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE = ROOT / ".spi.yml"

# By the sources of its reader, SPIManifest, which does not read a larger file, and ignores what it does not know.
MOST_BYTES = 1500
KEYS = {"version", "metadata", "builder", "external_links"}
KEYS_OF_A_BUILD = {
    "platform",
    "swift_version",
    "image",
    "scheme",
    "target",
    "documentation_targets",
    "custom_documentation_parameters",
}
PLATFORMS = {"ios", "linux", "macos-spm", "macos-xcodebuild", "tvos", "visionos", "watchos"}


class PackageIndex(unittest.TestCase):
    def setUp(self):
        self.manifest = yaml.safe_load(FILE.read_text(encoding="utf-8"))

    def test_it_is_small_enough_to_be_read(self):
        self.assertLessEqual(FILE.stat().st_size, MOST_BYTES)

    def test_it_has_no_key_that_nobody_reads(self):
        self.assertEqual(set(self.manifest) - KEYS, set())
        self.assertEqual(set(self.manifest["builder"]), {"configs"})
        for build in self.manifest["builder"]["configs"]:
            self.assertEqual(set(build) - KEYS_OF_A_BUILD, set())
            self.assertIn(build["platform"], PLATFORMS)

    def test_each_system_builds_what_needs_no_package_of_the_system(self):
        """Its machines have zlib, which comes with Swift, and no more."""
        package = (ROOT / "Package.swift").read_text(encoding="utf-8")
        for build in self.manifest["builder"]["configs"]:
            needed = re.search(rf'name: "{build["target"]}",\s*dependencies: \[(.*?)\]', package, re.DOTALL)[1]
            self.assertEqual(set(re.findall(r'"(\w+)"', needed)), {"CJazzyPoll", "JazzyPlatform"})


if __name__ == "__main__":
    unittest.main()
