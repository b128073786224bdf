"""Which test stands for which threat. Each has its own; none may go without being missed."""

import ast
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parent

TABLE: Final[dict[str, list[str]]] = {
    "our key in logs, exceptions, representations, files": [
        "test_config.py::test_no_way_of_showing_a_configuration_shows_a_secret",
        "test_config.py::test_a_secret_cannot_be_pickled",
        "delivery/test_transport.py::test_an_error_shows_neither_key_nor_answer",
        "delivery/test_transport.py::test_a_key_that_the_receiver_repeats_is_taken_out",
        "journal/test_delivery.py::test_neither_key_nor_content_is_on_disk_or_in_the_log",
        "journal/test_place.py::test_a_person_can_see_which_destination_it_is",
        "delivery/test_unified.py::test_a_token_is_asked_for_once",
        "delivery/test_unified.py::test_a_token_that_is_not_taken_is_renewed_once",
        "delivery/test_unified.py::test_without_a_token_no_record_is_touched",
        "delivery/test_unified.py::test_no_report_quotes_a_token",
        "faults/test_harness.py::test_a_lost_record_a_dead_one_and_a_leak_are_found",
    ],
    "another vendor's key sent to us, or ours to them": [
        "delivery/test_transport.py::test_a_hostile_environment_changes_no_byte",
        "delivery/test_pipeline.py::test_a_hostile_environment_changes_nothing",
    ],
    "the provider's key in a record": [
        "test_end_to_end.py::test_keys_are_in_no_record",
        "integrations/test_key_hashes.py::test_only_calls_with_allowed_keys_arrive",
    ],
    "the key over plain HTTP": ["test_config.py::test_plain_http_to_another_machine_is_refused"],
    "a redirect carries the key away": ["delivery/test_transport.py::test_a_redirect_is_not_followed"],
    "a receiver that is not who it says": [
        "delivery/test_transport.py::test_a_certificate_of_an_unknown_ca_is_refused",
        "delivery/test_transport.py::test_a_certificate_for_another_host_is_refused",
        "delivery/test_transport.py::test_tls_older_than_1_2_is_refused",
        "delivery/test_transport.py::test_https_to_a_receiver_without_tls_is_refused",
    ],
    "files that others can read, or have planted": [
        "journal/test_directory.py::test_everything_is_for_the_owner_alone",
        "journal/test_directory.py::test_a_directory_that_others_can_write_to_is_refused",
        "journal/test_directory.py::test_a_symbolic_link_is_refused",
        "journal/test_directory.py::test_a_directory_of_somebody_else_is_refused",
        "journal/test_directory.py::test_a_planted_link_is_not_followed",
        "journal/test_place.py::test_another_place_of_somebody_else_is_left_alone",
    ],
    "content on disk": [
        "journal/test_delivery.py::test_content_is_not_on_disk_after_a_kill",
        "journal/test_delivery.py::test_neither_key_nor_content_is_on_disk_or_in_the_log",
    ],
    "content by side doors in privacy mode": ["test_end_to_end.py::test_privacy_mode_sends_no_content_anywhere"],
    "line breaks in headers or key": [
        "test_config.py::test_values_that_are_refused",
        "delivery/test_transport.py::test_headers_can_be_anything_that_was_let_in",
    ],
    "metadata keys that push money out or pass for it": [
        "journal/test_poison.py::test_keys_that_are_called_like_money_change_none",
        "journal/test_poison.py::test_ten_thousand_keys",
        "export/test_attributes.py::TestMetadata::test_reserved_keys",
    ],
    "values whose methods do harm": [
        "journal/test_poison.py::test_a_poisoned_record_takes_nothing_with_it",
        "test_capture_hostile.py::test_metadata_runs_nothing",
        "test_capture_hostile.py::test_snapshot_runs_nothing",
    ],
    "a compressed bomb, a huge or endless answer": [
        "delivery/test_transport.py::test_only_the_beginning_of_an_answer_is_read",
        "delivery/test_transport.py::test_a_compressed_answer_is_not_unpacked",
        "delivery/test_transport.py::test_the_deadline_holds_against",
    ],
    "an address from trace data or with a password": ["test_config.py::test_addresses_that_are_refused"],
    "our own requests traced": ["delivery/test_untraced.py::test_instrumentations_are_told_to_look_away"],
    "code run by data": ["journal/test_line.py::test_what_is_no_line_is_no_record"],
    "the receiver's words in the log": [
        "delivery/test_answers.py::test_what_the_receiver_says_is_made_harmless",
        "delivery/test_answers.py::test_what_the_receiver_says_is_cut",
    ],
}


@pytest.mark.parametrize("threat", TABLE)
def test_a_threat_has_its_tests(threat: str) -> None:
    """Under the names that stand in the table."""
    for name in TABLE[threat]:
        file, *path = name.split("::")
        scope: ast.AST = ast.parse((TESTS / file).read_text())
        for each in path:
            named = [node for node in ast.iter_child_nodes(scope) if getattr(node, "name", None) == each]
            assert named, f"{name} is not there"
            scope = named[0]
