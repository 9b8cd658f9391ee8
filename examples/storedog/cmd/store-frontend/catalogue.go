package main

import "fmt"

// cents is an amount of money.
type cents int

// String returns the amount as on a price tag, such as 25.00.
func (c cents) String() string { return fmt.Sprintf("%d.%02d", c/100, c%100) }

// after returns what is left to pay after a discount, half a cent rounded up.
func (c cents) after(d discount) cents {
	return (c*cents(100-d.Percent) + 50) / 100
}

// product is something to buy.
type product struct {
	ID    string
	Name  string
	Price cents
}

// catalogue is what the shop sells.
var catalogue = []product{
	{"1", "Dog Bowl", 2500},
	{"2", "Squeaky Bone", 799},
	{"3", "Leash", 1850},
	{"4", "Cosy Basket", 5990},
	{"5", "Frisbee", 999},
	{"6", "Raincoat", 3449},
}

// productByID returns a product of the catalogue.
func productByID(id string) (product, bool) {
	for _, p := range catalogue {
		if p.ID == id {
			return p, true
		}
	}
	return product{}, false
}
