// Package evm takes stablecoins on Ethereum and the chains that are like it.
package evm
