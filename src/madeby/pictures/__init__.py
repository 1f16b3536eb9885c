"""From bytes to pixels, safely."""
