"""A cart, its discounts and its receipt. Amounts are whole cents."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Line:
    article: str
    cents: int
    count: int = 1

    @property
    def total(self):
        return self.cents * self.count


@dataclass
class Cart:
    lines: list[Line] = field(default_factory=list)

    def add(self, article, cents, count=1):
        if count < 1:
            raise ValueError(f"cannot add {count} of {article}")
        self.lines.append(Line(article, cents, count))

    @property
    def subtotal(self):
        return sum(line.total for line in self.lines)

    @property
    def shipping(self):
        """Free from 50 up, and for an empty cart."""
        return 0 if not self.lines or self.subtotal >= 50_00 else 4_90

    def receipt(self, voucher=None):
        discount = voucher_discount(voucher, self.subtotal)
        return {
            "articles": {line.article: line.count for line in self.lines},
            "subtotal": self.subtotal,
            "discount": discount,
            "shipping": self.shipping,
            "total": self.subtotal - discount + self.shipping,
        }


def voucher_discount(voucher, subtotal):
    """What a voucher is worth; an unknown one is worth nothing."""
    match voucher:
        case "TEN":
            return subtotal // 10
        case "FIVER":
            return min(5_00, subtotal)
        case _:
            return 0
