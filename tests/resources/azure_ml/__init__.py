"""What files mean, held against the product whose files they are."""
