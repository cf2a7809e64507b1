package rpmdb

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// The ndb format is described by RPM's lib/backend/ndb/rpmpkg.c alone: a header,
// pages of slots, and blobs that the slots point to. All is little-endian.
var (
	ndbMagic  = []byte("RpmP")
	slotMagic = []byte("Slot")
	blobMagic = []byte("BlbS")
)

const (
	ndbPage    = 4096 // bytes of a page of slots
	ndbHeader  = 32   // bytes, at the first page's start
	slotBytes  = 16   // magic, package, block, number of blocks
	blockBytes = 16
	blobHeader = 16 // bytes: magic, package, checksum, length
)

// ndbBlobs are the blobs of an ndb file.
func ndbBlobs(db []byte) ([][]byte, error) {
	if len(db) < ndbHeader {
		return nil, errors.New("the database is cut off")
	}
	end := int64(binary.LittleEndian.Uint32(db[12:])) * ndbPage
	if end > int64(len(db)) {
		return nil, errors.New("the database's slots are cut off")
	}
	var out [][]byte
	for at := int64(ndbHeader); at+slotBytes <= end; at += slotBytes {
		slot := db[at : at+slotBytes]
		if !bytes.HasPrefix(slot, slotMagic) {
			return nil, errors.New("a slot of the database is damaged")
		}
		if binary.LittleEndian.Uint32(slot[4:]) == 0 {
			continue // free
		}
		start := int64(binary.LittleEndian.Uint32(slot[8:]))*blockBytes + blobHeader
		if start > int64(len(db)) || !bytes.HasPrefix(db[start-blobHeader:], blobMagic) {
			return nil, errors.New("a slot of the database leads nowhere")
		}
		size := int64(binary.LittleEndian.Uint32(db[start-4:]))
		if start+size > int64(len(db)) {
			return nil, errors.New("a package of the database is cut off")
		}
		out = append(out, db[start:start+size])
	}
	return out, nil
}
