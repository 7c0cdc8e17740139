"""Rules for animations: GIF, APNG, animated WebP and AVIF."""
