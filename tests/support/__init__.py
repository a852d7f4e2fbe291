"""What the tests of several folders share: pictures, ways of coding them, files."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
