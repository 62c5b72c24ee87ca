"""Update check: off unless turned on, asks for one signed list, sends nothing about anything. Knows no vault; runs nothing."""
