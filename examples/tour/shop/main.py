"""Prints what a basket costs."""

import sys

from shop.basket import Basket


def main(arguments: list[str]) -> None:
    basket = Basket(discount_percent=10)
    for argument in arguments:
        name, cents = argument.split("=")
        basket.add(name, int(cents))
    print(basket.total())


if __name__ == "__main__":
    main(sys.argv[1:])
