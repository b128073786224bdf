"""What a request said stays said, whatever the application does to its lists afterwards."""

from typing import Any

from ramp_tracing._capture import snapshot


def test_later_changes() -> None:
    """Changes to messages, parts and what they hold do not reach the copy."""
    part: dict[str, Any] = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    message: dict[str, Any] = {"role": "user", "content": [part]}
    body: dict[str, Any] = {"messages": [message]}
    copy, _ = snapshot(body)
    part["image_url"]["url"] = "changed"
    part["type"] = "changed"
    message["content"].append("changed")
    message["role"] = "changed"
    body["messages"].append("changed")
    body["model"] = "changed"
    assert copy == {
        "messages": [
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]}
        ]
    }


def test_texts_are_the_same_objects() -> None:
    """Text is not copied, however long."""
    text = "x" * 1_000_000
    copy: Any = snapshot({"messages": [{"content": text}]})[0]
    assert copy["messages"][0]["content"] is text


def test_size() -> None:
    """The size is that of the texts, and a little for each place."""
    assert snapshot({"a": "x" * 100, "b": ["y" * 50, b"zz"], "c": 1})[1] == 100 + 50 + 2 + 8 + 8 * 3 + 8 * 2


def test_scalars() -> None:
    """What is no container comes back as it is."""
    assert snapshot("text") == ("text", 4)
    assert snapshot(None) == (None, 8)


def test_original_is_left_alone() -> None:
    """The application's containers are not written to."""
    body = {"messages": [{"content": "hi"}]}
    messages = body["messages"]
    snapshot(body)
    assert body == {"messages": [{"content": "hi"}]}
    assert body["messages"] is messages


def test_deep() -> None:
    """Beyond the parts of a message containers are kept by reference."""
    bottom: list[object] = []
    nested: Any = bottom
    for _ in range(6):
        nested = [nested]
    copy: Any = snapshot(nested)[0]
    for _ in range(6):
        copy = copy[0]
    assert copy is bottom


def test_many_containers() -> None:
    """Work ends after some thousand containers; what is beyond is kept by reference."""
    body = [[index] for index in range(5000)]
    copy: Any = snapshot(body)[0]
    assert copy[0] is not body[0]
    assert copy[-1] is body[-1]
    assert copy == body


def test_long_list() -> None:
    """A list of vectors or token ids is not copied."""
    numbers = list(range(20_000))
    copy: Any = snapshot({"input": numbers})[0]
    assert copy["input"] is numbers


def test_cycle() -> None:
    """A list inside itself ends."""
    items: list[object] = ["x"]
    items.append(items)
    assert snapshot(items)[1] > 0
