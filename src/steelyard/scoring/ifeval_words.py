"""Instructions of IFEval about words, lengths, letters and the language."""

import re

from steelyard.scoring.ifeval_kinds import Instruction, Relation, divided, holds
from steelyard.scoring.ifeval_language import language_of
from steelyard.scoring.ifeval_text import sentences, tokens, words


class Keywords(Instruction, frozen=True, tag="keywords:existence"):
    """Every keyword occurs, in a longer word too."""

    keywords: list[str]

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        return all(re.search(one, text, re.IGNORECASE) for one in self.keywords)


class KeywordFrequency(Instruction, frozen=True, tag="keywords:frequency"):
    """A keyword occurs so often."""

    keyword: str
    frequency: int
    relation: Relation

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        found = re.findall(self.keyword.strip(), text, re.IGNORECASE)
        return holds(len(found), self.relation, self.frequency)


class ForbiddenWords(Instruction, frozen=True, tag="keywords:forbidden_words"):
    """None of these occurs as a word of its own."""

    forbidden_words: list[str]

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        patterns = (rf"\b{one}\b" for one in self.forbidden_words)
        return not any(re.search(one, text, re.IGNORECASE) for one in patterns)


class LetterFrequency(Instruction, frozen=True, tag="keywords:letter_frequency"):
    """A character occurs so often; capitals count as small letters."""

    letter: str
    let_frequency: int
    let_relation: Relation

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        count = text.lower().count(self.letter.strip().lower())
        return holds(count, self.let_relation, self.let_frequency)


class Sentences(Instruction, frozen=True, tag="length_constraints:number_sentences"):
    """So many sentences."""

    num_sentences: int
    relation: Relation

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        return holds(len(sentences(text)), self.relation, self.num_sentences)


class Words(Instruction, frozen=True, tag="length_constraints:number_words"):
    """So many words."""

    num_words: int
    relation: Relation

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        return holds(len(words(text)), self.relation, self.num_words)


class Paragraphs(Instruction, frozen=True, tag="length_constraints:number_paragraphs"):
    """Exactly so many paragraphs, divided by ``***``; none is empty but before and after all."""

    num_paragraphs: int

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        found = divided(re.split(r"\s?\*\*\*\s?", text))
        return found is not None and len(found) == self.num_paragraphs


class NthParagraph(Instruction, frozen=True, tag="length_constraints:nth_paragraph_first_word"):
    """So many paragraphs, divided by empty lines, and one of them begins with a certain word."""

    num_paragraphs: int
    nth_paragraph: int
    first_word: str

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        paragraphs = text.split("\n\n")
        count = sum(bool(one.strip()) for one in paragraphs)
        if count != self.num_paragraphs or self.nth_paragraph > count:
            return False
        asked = paragraphs[self.nth_paragraph - 1].split()
        word = asked[0].lstrip("'").lstrip('"') if asked else ""
        return re.split(r"[.,?!'\"]", word.lower())[0] == self.first_word.lower()


class Capitals(Instruction, frozen=True, tag="change_case:capital_word_frequency"):
    """So many words in capitals."""

    capital_frequency: int
    capital_relation: Relation

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        count = sum(token.isupper() for token in tokens(text))
        return holds(count, self.capital_relation, self.capital_frequency)


class AllCapitals(Instruction, frozen=True, tag="change_case:english_capital"):
    """English, in capitals alone."""

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        return text.isupper() and language_of(text) in ("en", "")


class AllSmall(Instruction, frozen=True, tag="change_case:english_lowercase"):
    """English, without a capital."""

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        return text.islower() and language_of(text) in ("en", "")


class Language(Instruction, frozen=True, tag="language:response_language"):
    """In this language (ISO 639-1); a text in which none can be detected passes."""

    language: str

    def followed(self, text: str) -> bool:
        """See ``Instruction``."""
        return language_of(text) in (self.language, "")
