"""From recorded streams to WARC and WACZ: TLS and HTTP decoding, writing, strict reading, checking. Pure."""
