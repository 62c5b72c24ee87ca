"""What a web capture consists of: plan, recorded streams, connections, actions, environment, manifest. Pure."""
