"""Instructions of IFEval about the form of an answer, its beginning and its end."""

import json
import re

from steelyard.scoring.ifeval_kinds import Instruction, divided

_YES_NO_MAYBE = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
_POSTSCRIPTS = {"P.S.": r"p\.\s?s\.", "P.P.S": r"p\.\s?p\.\s?s"}


class Placeholders(Instruction, frozen=True, tag="detectable_content:number_placeholders"):
    """At least so many placeholders in square brackets."""

    num_placeholders: int

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        return sum(map(_bracketed, text.split("\n"))) >= self.num_placeholders


class Postscript(Instruction, frozen=True, tag="detectable_content:postscript"):
    """A postscript that begins with this marker."""

    postscript_marker: str

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        marker = self.postscript_marker.strip()
        return bool(re.search(_POSTSCRIPTS.get(marker, marker.lower()), text.lower()))


class Bullets(Instruction, frozen=True, tag="detectable_format:number_bullet_lists"):
    """Exactly so many lines that begin with ``*`` or ``-``."""

    num_bullets: int

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        text = re.sub(r"\n\s*\n", "\n\n", text)
        stars = re.findall(r"^\s*\*[^*].*$", text, re.MULTILINE)
        dashes = re.findall(r"^\s*-.*$", text, re.MULTILINE)
        return len(stars) + len(dashes) == self.num_bullets


class YesNoMaybe(Instruction, frozen=True, tag="detectable_format:constrained_response"):
    """One of three given answers."""

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        return any(one in text for one in _YES_NO_MAYBE)


class Highlights(Instruction, frozen=True, tag="detectable_format:number_highlighted_sections"):
    """At least so many stretches between single or double stars."""

    num_highlights: int

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        single = [one.strip("*") for one in re.findall(r"\*[^\n*]*\*", text)]
        double = [one[2:-2] for one in re.findall(r"\*\*[^\n*]*\*\*", text)]
        return sum(bool(one.strip()) for one in (*single, *double)) >= self.num_highlights


class Sections(Instruction, frozen=True, tag="detectable_format:multiple_sections"):
    """At least so many sections, each headed by a word and a number."""

    num_sections: int
    section_spliter: str

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        heading = rf"\s?{self.section_spliter.strip()}\s?\d+\s?"
        return len(re.split(heading, text)) > self.num_sections


class JsonFormat(Instruction, frozen=True, tag="detectable_format:json_format"):
    """The whole answer is JSON, maybe in a code block."""

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        text = text.strip()
        for fence in ("```json", "```Json", "```JSON", "```"):
            text = text.removeprefix(fence)
        try:
            json.loads(text.removesuffix("```").strip())
        except (ValueError, RecursionError):
            return False
        return True


class Title(Instruction, frozen=True, tag="detectable_format:title"):
    """A title in double angular brackets."""

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        for line in text.split("\n"):
            start, end = line.find("<<"), line.rfind(">>")
            if 0 <= start < end and line[start:end].strip("<>").strip():
                return True
        return False


class TwoResponses(Instruction, frozen=True, tag="combination:two_responses"):
    """Two different responses, divided by six stars."""

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        found = divided(text.split("******"))
        return found is not None and len(found) == 2 and found[0].strip() != found[1].strip()


class RepeatPrompt(Instruction, frozen=True, tag="combination:repeat_prompt"):
    """The request word for word, then the answer."""

    prompt_to_repeat: str

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        return text.strip().lower().startswith(self.prompt_to_repeat.strip().lower())


class EndPhrase(Instruction, frozen=True, tag="startend:end_checker"):
    """These are the last words."""

    end_phrase: str

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        return text.strip().strip('"').lower().endswith(self.end_phrase.strip().lower())


class Quotation(Instruction, frozen=True, tag="startend:quotation"):
    """The whole answer stands between double quotation marks."""

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        text = text.strip()
        return len(text) > 1 and text[0] == text[-1] == '"'


class NoComma(Instruction, frozen=True, tag="punctuation:no_comma"):
    """No comma anywhere."""

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        return "," not in text


def _bracketed(line: str) -> int:
    """How many stretches in square brackets a line has, one after the other."""
    count = 0
    start = line.find("[")
    while start >= 0 and (end := line.find("]", start)) >= 0:
        count += 1
        start = line.find("[", end)
    return count
