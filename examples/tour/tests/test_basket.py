from shop.basket import Basket


def test_a_basket_adds_up():
    basket = Basket()
    basket.add("bread", 250)
    basket.add("egg", 35, count=6)
    assert basket.total() == 460


def test_the_discount_is_taken_from_the_whole_basket():
    basket = Basket(discount_percent=10)
    for _ in range(3):
        basket.add("egg", 35)
    assert basket.total() == 95
