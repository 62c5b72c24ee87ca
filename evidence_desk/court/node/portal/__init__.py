"""The judge's portal: pages in Chinese and English, and a second, independent verifier in plain JavaScript.

The gateway mounts `routes`. Nothing here reads the state or the engine: what is shown comes from the gateway's answers,
verified once more in the reader's browser.
"""
