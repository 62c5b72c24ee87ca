"""The page Certify 出证: exhibits chosen, looked at, signed by one person or by two; issued ones printed, saved, revoked."""
