import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.court.node.gateway.settings import GatewaySettings, gateway_lines, read_gateway
from evidence_desk.court.node.home import NodeHome, NodeSettings, create_home
from evidence_desk.errors import ConfigurationError

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)


@given(
    st.builds(
        GatewaySettings,
        port=st.integers(1, 65535),
        listen=words,
        tsa_url=words,
        governance=words,
        keybags=st.booleans(),
        rate=st.integers(1, 10**6),
        burst=st.integers(1, 10**6),
        connections=st.integers(1, 10**6),
        proxies=st.tuples(words, words),
    )
)
def test_written_and_read_again(settings):
    table = tomllib.loads("\n".join(gateway_lines(settings)))["gateway"]
    assert read_gateway(table) == settings


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"port": 0},
        {"port": "443"},
        {"port": True},
        {"port": 443, "rate": 0},
        {"port": 443, "connections": 0},
        {"port": 443, "unknown": 1},
        {"port": 443, "keybags": 1},
        {"port": 443, "proxies": ["127.0.0.1", 1]},
        {"port": 443, "certificate": "cert.pem"},
        {"port": 443, "key": "key.pem"},
        {"port": 443, "tsa_url": "https://tsa.example", "demo_authority": "authority"},
        [],
        "443",
    ],
)
def test_what_cannot_be_meant(table):
    with pytest.raises((ValueError, TypeError)):
        read_gateway(table)


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (GatewaySettings(port=80), "http://127.0.0.1:80"),
        (GatewaySettings(port=80, listen="0.0.0.0"), "http://127.0.0.1:80"),
        (
            GatewaySettings(port=443, listen="2001:db8::1", certificate="c", key="k"),
            "https://[2001:db8::1]:443",
        ),
    ],
)
def test_address(settings, url):
    assert settings.url == url


def test_settings_of_a_node_keep_its_gateway(tmp_path):
    gateway = GatewaySettings(
        port=8443, certificate="tls/cert.pem", key="tls/key.pem", proxies=("192.0.2.1",)
    )
    made = create_home(
        tmp_path / "node", NodeSettings(name="court-a", p2p_port=1, rpc_port=2, gateway=gateway)
    )
    home = NodeHome.open(tmp_path / "node")
    assert home.settings().gateway == gateway
    text = made.settings_file.read_text("utf-8")
    made.settings_file.write_text(text.replace("port = 8443", "port = 84430"), "utf-8")
    with pytest.raises(ConfigurationError):
        home.settings()
