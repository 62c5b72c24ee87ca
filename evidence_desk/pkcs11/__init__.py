"""Keys in tokens and security modules over PKCS#11 (OASIS PKCS#11 v2.40): list, choose, sign. Keeps no PIN.

The module is foreign native code inside this process: its path is given by a person and never searched for.
"""
