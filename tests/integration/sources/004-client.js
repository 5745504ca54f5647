//import the WebSocket package
const WebSocket = require('ws');

//create socket, assuming access_token is 123456789
const notifySocket = new WebSocket('ws://127.0.0.1:8000/ws/123456789/');


//add event for what should happen when data is received from the backend
notifySocket.onmessage = function (e) {
	const data = JSON.parse(e.data);
	if (data.message){
	    console.log('Message received: ' + data.message);
	}
}


//add function for sending data to the backend
function send_message(message){

	notifySocket.send(JSON.stringify({
					'message': message
				}));
}

console.log('established websocket connection')
