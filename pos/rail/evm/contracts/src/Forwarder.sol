// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Forwarder: an address that can only pay its merchant.
/// @notice The code behind every sale's address. A clone of it has no owner, no
/// storage and no way to call anything of a caller's choice: whoever calls sweep,
/// the whole balance goes to the treasury that is written into the clone's own
/// code, and with that into its address.
/// @dev A clone's code is 65 bytes: 45 of an EIP-1167 proxy, then the treasury.
contract Forwarder {
    uint256 private constant CLONE = 65;
    uint256 private constant TREASURY_AT = 45;

    address private immutable IMPLEMENTATION = address(this);

    error NotAClone();
    error NotMoved();

    /// @notice The native coin can arrive by mistake; then it is swept like a token.
    receive() external payable {}

    /// @notice Sends the whole balance of token, the native coin for the zero
    /// address, to the treasury. Anyone may call it, and again.
    function sweep(address token) external {
        // The implementation has no treasury in its code: what stands there would be
        // read as one.
        if (address(this) == IMPLEMENTATION || address(this).code.length != CLONE) revert NotAClone();
        address to = treasury();
        if (token == address(0)) {
            (bool sent,) = to.call{value: address(this).balance}("");
            if (!sent) revert NotMoved();
            return;
        }
        (bool read, bytes memory held) = token.staticcall(abi.encodeWithSelector(0x70a08231, address(this)));
        if (!read || held.length < 32) revert NotMoved();
        (bool done, bytes memory said) = token.call(abi.encodeWithSelector(0xa9059cbb, to, abi.decode(held, (uint256))));
        // Tether's says nothing. One that says anything else than true moved nothing.
        if (!done || (said.length != 0 && (said.length < 32 || abi.decode(said, (uint256)) != 1))) revert NotMoved();
    }

    function treasury() private view returns (address to) {
        assembly ("memory-safe") {
            extcodecopy(address(), 0, TREASURY_AT, 20)
            to := shr(96, mload(0))
        }
    }
}
