"""Keys, accounts and sessions as the store keeps them, on both engines."""

import pytest

from tocsin.errors import Malformed, NotFound, Taken
from tocsin.store import Store, access

NOW = 1_760_000_000_000_000


def add_key(store: Store, name: str, digest: str = "", expires: int | None = None) -> access.Key:
    return store.write(lambda tx: access.add_key(tx, name, digest or f"digest of {name}", "sender", NOW, expires))


def test_a_key_is_found_by_its_digest_with_all_that_was_said_of_it(store: Store) -> None:
    made = store.write(
        lambda tx: access.add_key(tx, "splunk", "d1", "sender", NOW, NOW + 5, created_by="operator"),
    )

    found = store.read(lambda tx: access.key_by_digest(tx, "d1"))

    assert found == made
    assert found == access.Key(
        id=made.id, name="splunk", role="sender", created=NOW, created_by="operator", expires=NOW + 5
    )


def test_a_key_expires_at_its_time_and_not_before(store: Store) -> None:
    key = add_key(store, "short", expires=NOW + 10)

    assert not key.expired(NOW + 9)
    assert key.expired(NOW + 10)
    assert not add_key(store, "for ever").expired(2**62)


def test_an_unknown_digest_finds_no_key(store: Store) -> None:
    add_key(store, "splunk")

    assert store.read(lambda tx: access.key_by_digest(tx, "another")) is None


def test_two_unrevoked_keys_cannot_share_a_name(store: Store) -> None:
    add_key(store, "splunk", "d1")

    with pytest.raises(Taken, match="splunk"):
        add_key(store, "splunk", "d2")
    assert [key.name for key in store.read(access.keys)] == ["splunk"]


def test_the_name_of_a_revoked_key_can_be_given_again(store: Store) -> None:
    first = add_key(store, "splunk", "d1")
    store.write(lambda tx: access.revoke_key(tx, "splunk", NOW + 1))
    second = add_key(store, "splunk", "d2")

    store.write(lambda tx: access.revoke_key(tx, "splunk", NOW + 2))

    assert [(key.id, key.revoked) for key in store.read(access.keys)] == [(first.id, NOW + 1), (second.id, NOW + 2)]


@pytest.mark.parametrize("name", ["", "  ", "7", "0012"])
def test_a_key_needs_a_name_that_is_no_number(store: Store, name: str) -> None:
    with pytest.raises(Malformed, match="name"):
        add_key(store, name)


def test_a_revoked_key_is_found_no_more_by_its_digest(store: Store) -> None:
    key = add_key(store, "splunk", "d1")
    add_key(store, "other", "d2")

    revoked = store.write(lambda tx: access.revoke_key(tx, str(key.id), NOW + 1))

    assert revoked.revoked == NOW + 1
    assert store.read(lambda tx: access.key_by_digest(tx, "d1")) is None
    assert store.read(lambda tx: access.key_by_digest(tx, "d2")) is not None


def test_revoking_by_number_again_keeps_the_first_time(store: Store) -> None:
    key = add_key(store, "splunk")
    store.write(lambda tx: access.revoke_key(tx, key.id, NOW + 1))

    assert store.write(lambda tx: access.revoke_key(tx, key.id, NOW + 2)).revoked == NOW + 1


@pytest.mark.parametrize("unknown", [99, "99", "nobody", 2**70])
def test_revoking_an_unknown_key_says_so(store: Store, unknown: int | str) -> None:
    add_key(store, "splunk")

    with pytest.raises(NotFound, match=str(unknown)):
        store.write(lambda tx: access.revoke_key(tx, unknown, NOW))


def test_last_use_is_noted_for_many_keys_and_never_goes_back(store: Store) -> None:
    one, two, three = (add_key(store, name) for name in ("one", "two", "three"))

    store.write(lambda tx: access.touch_keys(tx, {one.id: NOW + 5, two.id: NOW + 6}))
    store.write(lambda tx: access.touch_keys(tx, {one.id: NOW + 4, two.id: NOW + 7, 999: NOW}))

    used = {key.id: key.last_used for key in store.read(access.keys)}
    assert used == {one.id: NOW + 5, two.id: NOW + 7, three.id: None}


def add_user(store: Store, name: str) -> access.Account:
    return store.write(lambda tx: access.add_user(tx, name, f"hash of {name}", "analyst", NOW))


def test_an_account_is_found_by_its_name(store: Store) -> None:
    made = add_user(store, "ada")

    assert store.read(lambda tx: access.user(tx, "ada")) == made
    assert made == access.Account(name="ada", hash="hash of ada", role="analyst", active=True, created=NOW)


def test_accounts_are_listed_by_name(store: Store) -> None:
    for name in ("grace", "ada"):
        add_user(store, name)

    assert [account.name for account in store.read(access.users)] == ["ada", "grace"]


def test_two_accounts_cannot_share_a_name(store: Store) -> None:
    add_user(store, "ada")

    with pytest.raises(Taken, match="ada"):
        add_user(store, "ada")


def test_an_account_needs_a_name(store: Store) -> None:
    with pytest.raises(Malformed):
        add_user(store, " ")


def test_changing_an_account_that_is_not_there_says_so(store: Store) -> None:
    for change in (
        lambda tx: access.set_password(tx, "nobody", "hash"),
        lambda tx: access.set_role(tx, "nobody", "admin"),
        lambda tx: access.set_active(tx, "nobody", False),
        lambda tx: access.user(tx, "nobody"),
    ):
        with pytest.raises(NotFound, match="nobody"):
            store.write(change)


def open_session(store: Store, user: str, digest: str) -> None:
    store.write(lambda tx: access.add_session(tx, digest, user, NOW + 1, NOW + 100, csrf=f"csrf of {digest}"))


def session(store: Store, digest: str) -> access.Session | None:
    return store.read(lambda tx: access.session(tx, digest))


def test_a_session_has_the_role_its_account_has_now(store: Store) -> None:
    add_user(store, "ada")
    open_session(store, "ada", "s1")
    store.write(lambda tx: access.set_role(tx, "ada", "viewer"))

    assert session(store, "s1") == access.Session(
        account="ada", role="viewer", csrf="csrf of s1", created=NOW + 1, expires=NOW + 100
    )


def test_opening_a_session_notes_the_sign_in(store: Store) -> None:
    add_user(store, "ada")
    open_session(store, "ada", "s1")

    assert store.read(lambda tx: access.user(tx, "ada")).last_login == NOW + 1


def test_a_session_expires_at_its_time(store: Store) -> None:
    add_user(store, "ada")
    open_session(store, "ada", "s1")
    found = session(store, "s1")

    assert found is not None
    assert not found.expired(NOW + 99)
    assert found.expired(NOW + 100)


def test_a_new_password_ends_only_the_sessions_of_its_account(store: Store) -> None:
    for name, digest in (("ada", "s1"), ("grace", "s2")):
        add_user(store, name)
        open_session(store, name, digest)

    store.write(lambda tx: access.set_password(tx, "ada", "another hash"))

    assert session(store, "s1") is None
    assert session(store, "s2") is not None
    assert store.read(lambda tx: access.user(tx, "ada")).hash == "another hash"


def test_an_account_shut_out_has_no_session_even_when_let_in_again(store: Store) -> None:
    add_user(store, "ada")
    open_session(store, "ada", "s1")
    store.write(lambda tx: access.set_active(tx, "ada", False))
    assert not store.read(lambda tx: access.user(tx, "ada")).active

    store.write(lambda tx: access.set_active(tx, "ada", True))

    assert session(store, "s1") is None


def test_a_session_opened_for_a_shut_account_is_not_found(store: Store) -> None:
    add_user(store, "ada")
    store.write(lambda tx: access.set_active(tx, "ada", False))
    open_session(store, "ada", "s1")

    assert session(store, "s1") is None


def test_signing_out_ends_one_session(store: Store) -> None:
    add_user(store, "ada")
    for digest in ("s1", "s2"):
        open_session(store, "ada", digest)

    store.write(lambda tx: access.drop_session(tx, "s1"))

    assert session(store, "s1") is None
    assert session(store, "s2") is not None


def test_expired_sessions_are_forgotten(store: Store) -> None:
    add_user(store, "ada")
    open_session(store, "ada", "s1")

    assert store.write(lambda tx: access.drop_expired(tx, NOW + 99)) == 0
    assert store.write(lambda tx: access.drop_expired(tx, NOW + 100)) == 1
    assert session(store, "s1") is None
