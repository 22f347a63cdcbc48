import re
from datetime import date


def title():
    return f"Report of {date.today()}"
