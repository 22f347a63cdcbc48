"""What the scripted tour says and proposes. Data: the words, and edits over the example's files."""

from __future__ import annotations

from typing import Any

INTRO = (
    "This is a tour of about three minutes. I am a script, no language model; the repository is a throw-away copy "
    "that is gone when you leave (`q`). What you see is what copair does with any model: it looks, asks, explains, "
    "and changes nothing without your `y`.\n\n"
    "The test `test_the_discount_is_taken_from_the_whole_basket` fails: `total` says 96 cents, it expects 95. "
    "Rounding can be meant in more than one way, so here is a question first."
)
QUESTION: dict[str, Any] = {
    "text": "Where shall the discount be rounded?",
    "why_it_matters": "Three things of 35 cents with 10 % off: the answers differ by up to 3 cents.",
    "options": [
        "Once, on the whole basket, down to a cent (95, as the test says)",
        "On each line, to the nearest cent (93: the test would have to change)",
        "Once, on the whole basket, in the customer's favour (94: the test would have to change)",
    ],
    "default": 0,
    "looked_at": ["shop/basket.py", "tests/test_basket.py"],
}

CARD = (
    "Now a card: why, what I assume, the risk, then the diff; the diff is made from the very bytes that `y` would "
    "write. Try `r` and say what you would like to be different, or `a` to ask without deciding; `?` shows all keys."
)
OLD_TOTAL = """        total = 0
        for line in self.lines:
            total += line.price - line.price * self.discount_percent // 100
        return total
"""
NEW_TOTALS = (
    """        full = sum(line.price for line in self.lines)
        return full - full * self.discount_percent // 100
""",
    """        total = 0
        for line in self.lines:
            total += line.price - (line.price * self.discount_percent + 50) // 100
        return total
""",
    """        full = sum(line.price for line in self.lines)
        return full * (100 - self.discount_percent) // 100
""",
)
WHYS = (
    "Each line rounds its own discount down, so three lines lose half a cent each. Taken once from the sum, the "
    "discount is 10 cents and the basket costs 95.",
    "Each line cuts its discount down to a whole cent. With 50 added before the division it is rounded to the "
    "nearest cent instead.",
    "Each line rounds its own discount down, at the customer's cost. Taken once from the sum, what there is to pay "
    "is rounded down instead.",
)
BECAUSES = (
    "the discount has to be taken from the sum, once",
    "the nearest cent is what you chose",
    "what there is to pay is rounded, not the discount",
)
BASKET = "shop/basket.py"
HELPERS = (
    ("return full - self._discount(full)", "cents * self.discount_percent // 100"),
    ("", ""),
    ("return full - self._discount(full)", "cents - cents * (100 - self.discount_percent) // 100"),
)
REVISED = (
    "You said: “{note}”. A model would follow that; a script cannot, so whatever you write, it comes back with the "
    "discount in a method of its own. The first version is gone from the stack."
)

LARGE = (
    "Now something larger: the receipt that README.md asks for, about 50 lines. copair never shows such a lump: it "
    "cuts it into chunks that fit on a card, what others need first. Take what you like: `n` on one that others "
    "need blocks those, and says so; `l` puts one off."
)
MAIN = "shop/main.py"
RECEIPT = "shop/receipt.py"
RECEIPT_TEXT = '''"""A receipt as lines of text."""

from shop.basket import Basket, Line

WIDTH = 32


def money(cents: int) -> str:
    """12345 as 123.45."""
    return f"{cents // 100}.{cents % 100:02}"


def row(left: str, right: str) -> str:
    """Two texts at the two edges of the receipt; a long left one is cut."""
    room = WIDTH - len(right) - 1
    if len(left) > room:
        left = left[: room - 1] + "…"
    return f"{left:<{room}} {right}"


def line_row(line: Line) -> str:
    """One thing, with its number when there is more than one."""
    name = f"{line.count} x {line.name}" if line.count > 1 else line.name
    return row(name, money(line.price))


def summary(basket: Basket) -> list[str]:
    """The rows below the line: the discount, when there is one, and the total."""
    full = sum(line.price for line in basket.lines)
    rows = []
    if basket.discount_percent:
        rows.append(row("Sum", money(full)))
        saved = full - basket.total()
        rows.append(row(f"Discount {basket.discount_percent} %", f"-{money(saved)}"))
    rows.append(row("Total", money(basket.total())))
    return rows


def receipt(basket: Basket) -> str:
    """The whole receipt."""
    rows = [line_row(line) for line in basket.lines]
    return "\\n".join([*rows, "-" * WIDTH, *summary(basket)])
'''
LARGE_PROPOSAL: dict[str, Any] = {
    "why": "`main` prints a bare number of cents. A receipt shows each thing, the discount and the total, so that a "
    "customer can check it.",
    "title": "Print a receipt",
    "assumes": ["prices stay below 1,000,000.00"],
    "risks": ["whoever reads the output of `main` as a number gets text now"],
    "serves": "receipt",
    "edits": [
        {"because": "the receipt is a thing of its own", "path": RECEIPT, "content": RECEIPT_TEXT},
        {
            "because": "`main` has to know it",
            "path": MAIN,
            "old": "from shop.basket import Basket\n",
            "new": "from shop.basket import Basket\nfrom shop.receipt import receipt\n",
        },
        {
            "because": "the receipt replaces the bare number",
            "path": MAIN,
            "old": "    print(basket.total())\n",
            "new": "    print(receipt(basket))\n",
        },
    ],
}

UNDO = (
    "Every applied change can be taken back, later too and after your own edits: exactly, or not at all. Try it on "
    "the next card: `u` takes the last one back."
)
UNDO_NAMED = (
    "Every applied change can be taken back, later too and after your own edits: exactly, or not at all. Try it on "
    "the next card: `:`, then `/undo` and the number of one that you applied."
)
"""After a no, which is what `u` would take back if nobody knew of it."""
WITHOUT_MODEL = (
    "The next card is no script: it comes from the offline pair, which copair uses when no model is connected. It "
    "runs ruff, and shows the finding before and none after."
)
ASKED = (
    "A model would answer from what it knows of “{title}”. I am a script; what stands on the card is all I know. Your "
    "question decided nothing: the card is still open."
)
NOT_FOLLOWED = "I am a script and cannot follow that; I go on with the tour."
REJECTED = "Refused, and nothing was written: with a model, your reason goes back to it. "
APPLIED = "Applied: exactly these bytes, and only these. "
OVER = (
    "The tour is over. In your own repository: `copair` (without a model: ruff findings), `copair review` for any "
    "diff, `copair connect` to choose a model. This copy is gone when you leave with `q`."
)
