"""A basket of things, with prices in cents."""

import json
import os
from dataclasses import dataclass, field


@dataclass
class Line:
    name: str
    cents: int
    count: int = 1

    @property
    def price(self) -> int:
        return self.cents * self.count


@dataclass
class Basket:
    lines: list[Line] = field(default_factory=list)
    discount_percent: int = 0

    def add(self, name: str, cents: int, count: int = 1) -> None:
        self.lines.append(Line(name, cents, count))

    def total(self) -> int:
        """What there is to pay, in cents."""
        total = 0
        for line in self.lines:
            total += line.price - line.price * self.discount_percent // 100
        return total
