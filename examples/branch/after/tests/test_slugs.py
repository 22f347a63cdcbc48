from slugs import LONGEST, slug, unique


def test_words_are_joined():
    assert slug("Hello, World") == "hello-world"


def test_accents_are_left_off():
    assert slug("Crème brûlée") == "creme-brulee"


def test_a_long_title_is_cut_between_words():
    assert slug("word " * 20) == "-".join(["word"] * 12)
    assert len(slug("x" * 100)) == LONGEST


def test_a_taken_slug_gets_a_number():
    assert unique("a", {"a", "a-2"}) == "a-3"
