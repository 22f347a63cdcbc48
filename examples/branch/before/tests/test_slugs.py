from slugs import slug, unique


def test_words_are_joined():
    assert slug("Hello, World") == "hello-world"


def test_a_taken_slug_gets_a_number():
    assert unique("a", {"a", "a-2"}) == "a-3"


def test_an_empty_title_has_no_slug():
    assert slug("") == ""
